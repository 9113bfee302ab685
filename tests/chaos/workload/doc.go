// Package workload makes pipelines for the fault campaign, and checks what they leave.
//
// [Generate] draws a pipeline of 3 to 12 stages from a seed: sources of known ids, keyed and unkeyed stages, fan-in,
// fan-out, branches, windows that a timer empties, ticks, batches, poison, stages that fail now and then, and sinks
// that write a file, publish to another NATS server, or count. [New] declares it.
//
// What a stage does with an item (drop it, copy it, fail at it every time, send it to a branch) is a pure function of
// the item's identity, which says where it came from and which path it took. So [Reference] can tell without running
// anything which items must be at every place, and no two items are the same.
//
// What cannot be computed is random: a producer gives each item a random number and keeps the sum of all of them in its
// state. Each reader of the item adds it to its own sum. At the end both sums, with those of the dead letters, must
// agree for each stream. They do not agree when a state and an output come from different commits.
//
// [Check] compares a finished run, as seen from outside, with the reference. Each stage also checks the order of what
// it reads, and stops the pipeline at the first item that comes late or twice.
package workload
