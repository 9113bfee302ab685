// Package prom gives Prometheus what a pipeline measures, for the registry of any program. Package telemetry
// serves it at /metrics.
package prom
