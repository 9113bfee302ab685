// Command watched measures what it costs a pipeline to be watched. One pipeline
// runs without a pause; in turns nobody can look, somebody could, and many
// dashboards are open while Prometheus asks each second. The dashboards are in a
// process of their own. It prints how the throughput of each turn compares with
// that of the turn before in which nobody could look, and the memory.
//
//	go run ./tests/watched -rounds 10 -turn 6s -dashboards 100
//
// Only the ratios mean something: the machine's other work slows all turns alike.
// With -least the exit code says whether enough was left.
package main
