// Package letters does with many dead letters what package dlq does with one: it replays or discards those that a
// request of the command or of the control socket selects, and reports the outcome of each.
package letters
