// Package letters does with many dead letters what package dlq does with one: what a
// request of the command or of the control socket selects is replayed or discarded, and of
// each is told what became of it.
package letters
