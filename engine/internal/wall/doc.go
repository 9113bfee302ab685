// Package wall is the time of day as the engine reads it. A test can put it forward and back, as a person puts a
// machine's clock:
//
//	wall.Shift(-48 * time.Hour)
//
// It behaves like a real jump of the clock: the wall reading of [Now] jumps, and its monotonic reading goes on, so that
// durations between two of its times stay the same. Clocks of other packages do not jump.
package wall
