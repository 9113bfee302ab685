// Package ledger is a pipeline whose results cannot be computed a second time, made for crash tests.
//
//	entries ──┬─> book (one account per key) ──> audit ──> file
//	          └─> tally
//
// The source counts entries. The book adds a random amount to the account of each entry's key and posts the amount
// together with the account's new balance, so that a state and an output of different commits never agree. The audit
// follows every posting and stops the pipeline at the first one that does not continue what it has seen, the file keeps
// all of them, and the tally counts the entries again, at its own pace.
//
// Some entries are refused by the book and become dead letters ([Refused]); at some others it panics once ([Shaky]).
//
// [Check] compares a finished run, as seen from outside, with what must have happened.
package ledger
