package prom

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/engine"
	"penstock/engine/observe"
)

// Collector gives Prometheus what a pipeline measures, read when it is asked. A
// registry of any program may have it. Safe for concurrent use.
type Collector struct {
	pipeline measured
	name     string
	created  time.Time
}

// measured is what the collector has to know of a pipeline: *engine.Pipeline.
type measured interface {
	Status() observe.Status
	Measures() []observe.StageMeasures
}

var _ prometheus.Collector = (*Collector)(nil)

// NewCollector returns the collector of a pipeline.
func NewCollector(p *engine.Pipeline) *Collector {
	return &Collector{pipeline: p, name: p.Name(), created: time.Now()}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range stageMetrics {
		out <- m.desc
	}
	for _, m := range partitionMetrics {
		out <- m.desc
	}
	for _, m := range channelMetrics {
		out <- m.desc
	}
	for _, m := range pipelineMetrics {
		out <- m.desc
	}
	for _, m := range histogramMetrics {
		out <- m.desc
	}
	out <- inputAges
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	status := c.pipeline.Status()
	for k := range status.Stages {
		s := &status.Stages[k]
		for _, m := range stageMetrics {
			m.read(s, func(v float64, labels ...string) {
				out <- m.metric(v, append([]string{c.name, s.Name}, labels...))
			})
		}
		for n := range s.Partitions {
			for _, m := range partitionMetrics {
				m.read(&s.Partitions[n], func(v float64, _ ...string) { out <- m.metric(v, []string{c.name, s.Name, strconv.Itoa(n)}) })
			}
		}
	}
	for k := range status.Channels {
		ch := &status.Channels[k]
		for _, m := range channelMetrics {
			m.read(ch, func(v float64, _ ...string) { out <- m.metric(v, []string{c.name, ch.Stream, ch.Reader}) })
		}
	}
	for _, m := range pipelineMetrics {
		m.read(&status, func(v float64, _ ...string) { out <- m.metric(v, []string{c.name}) })
	}
	for _, s := range c.pipeline.Measures() {
		for _, m := range histogramMetrics {
			out <- &bothHistograms{m.desc, m.read(&s), c.created, []string{c.name, s.Stage}}
		}
		for _, i := range s.Inputs {
			out <- &bothHistograms{inputAges, i.Ages, c.created, []string{c.name, i.Stream, s.Stage}}
		}
	}
}

// metric is one number of something of the engine. read gives it, with the
// values of the labels that are its own, as often as there are such values.
type metric[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(of *T, give func(value float64, labels ...string))
}

func (m metric[T]) metric(value float64, labels []string) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("penstock_"+name, help, labels, nil)
}
