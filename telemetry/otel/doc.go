// Package otel makes spans of OpenTelemetry of a pipeline's frames, and sends them to where the standard
// variables say. A program that wants nothing but traces needs no other package of telemetry.
package otel
