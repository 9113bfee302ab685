//go:build unix

// The command supervision measures what a stage that fails costs the others, and how soon it goes on:
//
//	go run ./tests/supervision                             # both, about three minutes
//	go run ./tests/supervision -isolation -duration 10s
//	go run ./tests/supervision -recovery -panics 1000
//
// isolation: source, stage and sink carry their load, and beside them, in the same pipeline, a sink with its own source
// panics at its message again and again, with no delay, no limit and unlimited attempts. It is compared with the same
// pipeline whose sink takes every message; the two take turns within a round. It also shows that memory and goroutines
// do not grow.
//
// recovery: a stage panics at the first attempt of every message, and restarts with no delay. The time is from before
// the panic until the next stage has the result, which it gets only when it is committed. One message is in flight at a
// time. The same without panics shows what a commit takes anyway.
//
// BenchmarkSupervision in the package engine measures what a supervised stage costs that does not fail.
//
// Compare ratios, not rates: a rate depends on one machine and what else runs on it.
package main
