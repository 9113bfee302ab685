package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"penstock/telemetry/record"
)

// NewTriggerCollector returns the collector of a pipeline's triggers. each calls a function with every
// trigger, and with how many stages or channels it finds out of bounds.
func NewTriggerCollector(pipeline string, each func(func(t record.Trigger, out int64))) prometheus.Collector {
	return triggerCollector{pipeline, each}
}

// triggerCollector tells Prometheus which triggers find something out of bounds.
type triggerCollector struct {
	name string                                  // of the pipeline
	each func(func(t record.Trigger, out int64)) // calls a function with every trigger
}

var _ prometheus.Collector = triggerCollector{}

var triggerMetric = desc("trigger_out_of_bounds", "Stages or channels that are outside the bounds of the trigger.", "pipeline", "trigger", "color")

// Describe implements prometheus.Collector.
func (c triggerCollector) Describe(out chan<- *prometheus.Desc) { out <- triggerMetric }

// Collect implements prometheus.Collector.
func (c triggerCollector) Collect(out chan<- prometheus.Metric) {
	c.each(func(t record.Trigger, found int64) {
		out <- prometheus.MustNewConstMetric(triggerMetric, prometheus.GaugeValue, float64(found), c.name, t.Name, t.Color.String())
	})
}
