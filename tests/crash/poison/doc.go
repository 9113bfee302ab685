// Package poison is a pipeline of busy stages in which some messages do harm, made for crash tests of dead letters.
//
//	numbers ──┬─> sift ──> tally (keyed) ──> bundle (batches) ──> file
//	          └─> beside (batches)
//
// The source counts as fast as it may and every stage is slower than the one before, so all channels have a backlog. A
// [Killer] is a number that kills the whole process in one of the stages, in one of the [Ways], or makes it fail in an
// orderly way, each time it is tried. Before it does, it says so on standard output (see [ParseHarm]).
//
// Once the file Mended exists no number does harm.
//
// [Check] compares a finished run, as seen from outside, with what must have happened: a killer is a dead letter and
// has had no effect in its stage or behind it, everything else took effect once.
package poison
