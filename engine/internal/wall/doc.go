// Package wall is the time of day as the engine reads it, which a test can put forward and back as a person puts a
// machine's clock:
//
//	wall.Shift(-48 * time.Hour)
//
// What a jump of the clock does is done: the wall reading of [Now] jumps, and its monotonic reading goes on, so that
// durations between two of its times stay what they are. Clocks of other packages do not jump.
package wall
