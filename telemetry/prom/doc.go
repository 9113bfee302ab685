// Package prom gives Prometheus the measures of a pipeline, for the registry of any program. Package telemetry serves
// it at /metrics.
package prom
