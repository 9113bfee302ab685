// Package workload makes pipelines for the fault campaign, and judges what they leave.
//
// [Generate] draws a pipeline of 3 to 12 stages from a seed: sources of known ids, keyed and unkeyed stages, fan-in, fan-out,
// branches, windows that a timer empties, ticks, batches, poison, stages that fail by the way, and sinks that write a file, publish to
// another NATS server, or count. [New] declares it.
//
// What a stage does with an item (drop it, copy it, fail at it for ever, send it to a branch) is a pure function of the
// item's identity, which says where it came from and which way it took. So [Reference] can tell without running
// anything which items must be at every place, and no two items are the same.
//
// What cannot be computed is random: a producer gives each item a random number and keeps the sum of all of them in its
// state. Whoever reads the item adds it to a sum of its own. At the end both sums, with those of the dead letters, must
// agree for each stream, which they do not when a state and an output come from different commits.
//
// [Check] compares a finished run, as seen from outside, with the reference. Besides, each stage checks the order of what it
// reads as it reads it, and stops the pipeline at the first item that comes late or twice.
package workload
