// Package otel makes OpenTelemetry spans of a pipeline's frames, and sends them where the standard variables say. A
// program that wants only traces needs no other package of telemetry.
package otel
