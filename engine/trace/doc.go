// Package trace is how a pipeline tells of its frames as they are made: a [Tracer] gives each frame a [Span], which
// ends when the frame is committed or undone. What a frame takes along is a [Context], in the words of W3C Trace
// Context, so that the stages that read it go on with the same trace, also in a later process.
//
// The field Tracer of engine.Config takes one. Package telemetry/otel makes one for OpenTelemetry; write one to send
// spans elsewhere.
package trace
