//go:build unix

// The command supervision measures what a stage that fails costs the others,
// and how soon it goes on:
//
//	go run ./tests/supervision                             # both, about three minutes
//	go run ./tests/supervision -isolation -duration 10s
//	go run ./tests/supervision -recovery -panics 1000
//
// isolation: source, stage and sink carry their load, and beside them, in the
// same pipeline, a sink with a source of its own panics at its message again
// and again, with no delay, no limit and no end of attempts. The same pipeline
// with a sink that takes what it gets is what it is compared with; the two
// take turns within a round. It also shows that memory and goroutines stay
// what they are.
//
// recovery: a stage panics at the first attempt of every message, and restarts
// with no delay. The time is from before the panic until the next stage has
// the result, which it gets only when it is committed. One message is under
// way at a time. The same without panics is what a commit takes anyway.
//
// What a supervised stage that does not fail costs is BenchmarkSupervision in
// the package engine.
//
// Compare ratios, not rates: a rate belongs to one machine and what else it
// does.
package main
