package telemetry

import (
	"context"
	"io"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"penstock/engine"
	"penstock/engine/observe"
	frames "penstock/engine/trace"
	"penstock/telemetry/drawing"
	"penstock/telemetry/otel"
	"penstock/telemetry/prom"
	"penstock/telemetry/record"
)

// What is seen of a pipeline; see package record.
type (
	// Sample is how a pipeline stands at a time, and what it did since the sample before.
	Sample = record.Sample
	// StageSample is a stage in a Sample.
	StageSample = record.StageSample
	// ChannelSample is a channel in a Sample, as one of its readers sees it.
	ChannelSample = record.ChannelSample
	// Spread says how something was spread over the last Window.
	Spread = record.Spread
	// ProcessSample is the process in a Sample.
	ProcessSample = record.ProcessSample
	// DiskSample is the disk of the data directory in a Sample, in bytes.
	DiskSample = record.DiskSample
	// BrokerSample is the NATS server in a Sample.
	BrokerSample = record.BrokerSample
	// CheckpointSample is the checkpoint store in a Sample.
	CheckpointSample = record.CheckpointSample
	// Event is something that happened to a stage or group.
	Event = record.Event
	// Color says at a glance how a stage or channel is.
	Color = record.Color
)

// The colors.
const (
	Green  = record.Green
	Yellow = record.Yellow
	Orange = record.Orange
	Red    = record.Red
	Grey   = record.Grey
)

// Window is what the spreads of a sample are about.
const Window = record.Window

// What colors a stage or a channel that is out of bounds; see [record.Trigger].
type (
	// Trigger colors a stage or a channel when one of its measures is out of bounds: in the graph, on
	// the page, in /metrics and as an event.
	//
	//	telemetry.Trigger{Stage: "worker", Measure: telemetry.Latency, Above: 0.5, Color: telemetry.Orange}
	Trigger = record.Trigger
	// Measure is what a Trigger looks at.
	Measure = record.Measure
	// Statistic is what of many values counts.
	Statistic = record.Statistic
)

// What a Trigger looks at.
const (
	Rate     = record.Rate
	Fill     = record.Fill
	Lag      = record.Lag
	Latency  = record.Latency
	Load     = record.Load
	Restarts = record.Restarts
)

// What of many values counts.
const (
	Average    = record.Average
	Percentile = record.Percentile
	Deviations = record.Deviations
)

var (
	// ErrTrigger says that a trigger makes no sense.
	ErrTrigger = record.ErrTrigger
	// ErrRecording says that a file is no recording.
	ErrRecording = record.ErrRecording
	// ErrNoGraphviz says that there is nothing that draws a graph.
	ErrNoGraphviz = drawing.ErrNoGraphviz
)

// CheckRecording reads a recording to its end: see [record.CheckRecording].
func CheckRecording(in io.Reader) (samples int, from, to time.Time, err error) {
	return record.CheckRecording(in)
}

// Collector gives Prometheus what a pipeline measures, read when it is asked: see package prom.
type Collector = prom.Collector

// NewCollector returns the collector of a pipeline.
func NewCollector(p *engine.Pipeline) *Collector { return prom.NewCollector(p) }

// WriteDOT writes a pipeline as a graph in the language of Graphviz: see [drawing.WriteDOT].
func WriteDOT(out io.Writer, g observe.Graph, now *Sample) error {
	return drawing.WriteDOT(out, g, now)
}

// WriteSVG draws what WriteDOT writes, with the system's dot. Without one it returns
// ErrNoGraphviz.
func WriteSVG(ctx context.Context, out io.Writer, g observe.Graph, now *Sample) error {
	return drawing.WriteSVG(ctx, out, g, now)
}

// NewTracer makes OpenTelemetry spans of a pipeline's frames, for engine.Config.Tracer: see
// [otel.NewTracer].
func NewTracer(provider trace.TracerProvider) frames.Tracer { return otel.NewTracer(provider) }

// Traces sends spans to where the standard variables of OpenTelemetry say: see package otel.
type Traces = otel.Traces

// TracesFromEnvironment returns nil unless the standard variables of OpenTelemetry ask for traces:
// see [otel.TracesFromEnvironment].
func TracesFromEnvironment(pipeline string, log *slog.Logger) (*Traces, error) {
	return otel.TracesFromEnvironment(pipeline, log)
}
