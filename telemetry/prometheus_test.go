package telemetry

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"penstock/engine/observe"
)

// What Prometheus is told agrees with the status, keeps its conventions, and has both forms of histograms.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	s.fail <- errTest
	s.until("a restart, and more", func() bool {
		for _, stage := range s.pipeline.Status().Stages {
			if stage.Name == "worker" && stage.Restarts == 1 && stage.In > 20 {
				return true
			}
		}
		return false
	})
	if err := s.pipeline.StopStage(t.Context(), "numbers"); err != nil {
		t.Fatal(err)
	}
	s.until("all is read", func() bool {
		status := s.pipeline.Status()
		return status.Channels[0].Lag() == 0 && status.Channels[1].Lag() == 0
	})
	status := s.pipeline.Status()
	problems, err := testutil.GatherAndLint(s.server.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "penstock_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	families, err := s.server.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	value := func(name, stage string) (sum float64) {
		for _, f := range families {
			for _, m := range f.Metric {
				if f.GetName() == name && has(m, stage) {
					sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
		return sum
	}
	after := func(name string) map[string]uint64 {
		now := s.stage(name)
		return totals(&now.StageCounts)
	}
	for _, stage := range status.Stages {
		least, most := totals(&stage.StageCounts), after(stage.Name) // the stage goes on beside this
		for name := range least {
			if got := value(name, stage.Name); got < float64(least[name]) || got > float64(most[name]) {
				t.Errorf("%s of %s is %v, the status says %d before it and %d after it", name, stage.Name, got, least[name], most[name])
			}
		}
	}
	for _, f := range families {
		if f.GetName() != "penstock_stage_call_seconds" {
			continue
		}
		h := f.Metric[0].GetHistogram()
		if h.GetSampleCount() == 0 || len(h.PositiveSpan) == 0 || len(h.Bucket) == 0 || h.Bucket[len(h.Bucket)-1].GetCumulativeCount() != h.GetSampleCount() {
			t.Errorf("%v", h)
		}
		return
	}
	t.Error("there is no histogram")
}

// totals are the counters of a stage, by the metrics that tell of them.
func totals(counts *observe.StageCounts) map[string]uint64 {
	list := map[string]uint64{}
	for _, c := range observe.StageCounters() {
		list["penstock_stage_"+c.Metric+"_total"] += c.Total(counts)
	}
	return list
}

func has(m *dto.Metric, stage string) bool {
	for _, l := range m.Label {
		if l.GetName() == "stage" && l.GetValue() == stage {
			return true
		}
	}
	return false
}
