package telemetry

import "github.com/prometheus/client_golang/prometheus"

// triggerCollector tells Prometheus which triggers find something out of bounds.
type triggerCollector struct {
	name     string // of the pipeline
	triggers *triggers
}

var _ prometheus.Collector = triggerCollector{}

var triggerMetric = desc("trigger_out_of_bounds", "Stages or channels that the trigger finds out of bounds.", "pipeline", "trigger", "color")

// Describe implements prometheus.Collector.
func (c triggerCollector) Describe(out chan<- *prometheus.Desc) { out <- triggerMetric }

// Collect implements prometheus.Collector.
func (c triggerCollector) Collect(out chan<- prometheus.Metric) {
	for _, t := range c.triggers.list {
		out <- prometheus.MustNewConstMetric(triggerMetric, prometheus.GaugeValue, float64(t.out.Load()), c.name, t.Name, t.Color.String())
	}
}
