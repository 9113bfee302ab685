// Command bench compares a pipeline of this module with the same work done by hand on nats.go and with Watermill, and
// measures the latency, the start and the idle memory of a pipeline:
//
//	cd tests/bench && go run . -json result.json
//
// All sides run in this one process, in turn, each on a fresh embedded server of the same version with the same sync
// setting on the same disk. Absolute figures depend on the machine and on what else runs on it. Compare ratios of
// two figures of one round.
//
// It is a module of its own, so that what it compares with never becomes a dependency of the pipeline.
package main
