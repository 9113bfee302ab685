package telemetry

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"penstock/internal/testing/tool"
)

// Programs of others judge what is made for them.

func TestPromtoolTakesTheMetrics(t *testing.T) {
	t.Parallel()
	promtool := tool.Find(t, "promtool")
	s := serve(t, Config{})
	s.fail <- errTest
	s.until("a restart", func() bool { return s.stage("worker").Restarts == 1 })
	_, _, text := s.ask("GET", "/metrics", nil)
	if !strings.Contains(text, "penstock_stage_restarts_total{") {
		t.Fatalf("the metrics have no restarts:\n%s", text)
	}
	command := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	command.Stdin = strings.NewReader(text)
	if said, err := command.CombinedOutput(); err != nil || len(bytes.TrimSpace(said)) > 0 {
		t.Errorf("%v\n%s", err, said)
	}
}

// The rules are rules, and each fires when it should, and not before; alerts_test.yml has when.
func TestPromtoolTakesTheAlerts(t *testing.T) {
	t.Parallel()
	promtool := tool.Find(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "testdata/alerts_test.yml"}} {
		if said, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, said)
		}
	}
}

func TestGraphvizTakesTheGraph(t *testing.T) {
	t.Parallel()
	dot := tool.Find(t, "dot")
	s := serve(t, Config{})
	s.until("a sample", func() bool { return s.sampleOf("worker").State != "" })
	_, h, text := s.ask("GET", "/graph.dot", nil)
	if kind := h.Get("Content-Type"); !strings.HasPrefix(kind, "text/vnd.graphviz") {
		t.Error(kind)
	}
	command := exec.CommandContext(t.Context(), dot, "-Tsvg")
	command.Stdin = strings.NewReader(text)
	var said bytes.Buffer
	command.Stderr = &said
	svg, err := command.Output()
	if err != nil || said.Len() > 0 || strings.Count(string(svg), `class="node`) != 3 || strings.Count(string(svg), `class="edge`) != 2 {
		t.Errorf("%v\n%s\n%s", err, &said, svg)
	}
}
