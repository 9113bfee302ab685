// Package figures has what the programs that measure share: a median, and steps for the axes of their drawings.
// [Median] sums up the rounds of a benchmark and the windows of a soak. [NiceStep] is the distance between the lines of
// a drawing. Both are pure functions.
package figures
