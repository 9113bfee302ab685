// Command watched measures what dashboards cost a pipeline. One pipeline runs without a pause. In turns there is no
// telemetry, telemetry that no client uses, and telemetry with many open dashboards while Prometheus asks each second.
// The dashboards are in their own process. The command prints the memory, and the throughput of each turn compared with
// that of the turn without telemetry before it.
//
//	go run ./tests/watched -rounds 10 -turn 6s -dashboards 100
//
// Only the ratios mean something: the machine's other work slows all turns alike. With -least the exit code says
// whether the ratio was high enough.
package main
