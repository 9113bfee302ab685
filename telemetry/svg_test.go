package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/engine"
)

func TestGraphSVG(t *testing.T) {
	t.Parallel()
	tool(t, "dot")
	s := serve(t, Config{})
	s.until("a sample", func() bool { return s.sampleOf("worker").State != "" })
	code, h, body := s.ask("GET", "/graph.svg", nil)
	if code != 200 || h.Get("Content-Type") != "image/svg+xml" || !strings.Contains(body, ">worker<") {
		t.Errorf("%d %s\n%s", code, h.Get("Content-Type"), body)
	}
	// Opened by itself it is a document: it must not be one that can do anything.
	for _, want := range []string{"default-src 'none'", "sandbox"} {
		if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, want) || strings.Contains(policy, "script") || strings.Contains(policy, "allow-") {
			t.Errorf("content policy %q", policy)
		}
	}
	if h.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a browser may take it for something else")
	}
}

// largeGraph is a pipeline of so many stages that fan out and in again.
func largeGraph(stages int) (engine.Graph, *Sample) {
	g, now := engine.Graph{Pipeline: "large"}, &Sample{}
	for k := range stages {
		name := fmt.Sprintf("stage-%d", k)
		g.Stages = append(g.Stages, engine.GraphStage{Name: name, Kind: engine.KindProcessor})
		now.Stages = append(now.Stages, StageSample{Name: name, State: "running", Busy: 0.5})
		for _, writer := range []int{(k - 1) / 2, k - 3} {
			if k > 0 && writer >= 0 {
				stream := fmt.Sprintf("stage-%d", writer)
				g.Channels = append(g.Channels, engine.GraphChannel{Stream: stream, Writer: stream, Reader: name, Type: "uint64"})
				now.Channels = append(now.Channels, ChannelSample{Stream: stream, Reader: name, Rate: 1000})
			}
		}
	}
	return g, now
}

// A graph of 40 stages is drawn within the time that a drawing may take, and once for all who ask.
func TestALargeDrawing(t *testing.T) {
	t.Parallel()
	tool(t, "dot")
	g, now := largeGraph(40)
	var text strings.Builder
	if err := WriteDOT(&text, g, now); err != nil {
		t.Fatal(err)
	}
	d := newDrawer()
	if _, err := d.draw(t.Context(), []byte("digraph warm { a -> b }")); err != nil {
		t.Fatal(err)
	}
	svg, err := d.draw(t.Context(), []byte(text.String()))
	if err != nil || strings.Count(string(svg), `class="node`) != 40 {
		t.Fatalf("%v\n%s", err, svg)
	}
	again, err := d.draw(t.Context(), []byte(text.String()))
	if err != nil || &again[0] != &svg[0] {
		t.Errorf("it was drawn again, %v", err)
	}
}

// Who does not want to wait leaves, also while another one is drawn.
func TestDrawingEnds(t *testing.T) {
	t.Parallel()
	d := newDrawer()
	d.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.draw(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-d.turn
	tool(t, "dot")
	if _, err := d.draw(ctx, []byte("digraph {}")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := d.draw(t.Context(), []byte("digraph {")); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("what is no graph: %v", err)
	}
}

// Without Graphviz one is told what to do.
func TestNoGraphviz(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := serve(t, Config{})
	code, _, body := s.ask("GET", "/graph.svg", nil)
	if code != 501 || !strings.Contains(body, "apt install graphviz") || !strings.Contains(body, "graph.dot") {
		t.Errorf("%d %s", code, body)
	}
}

func TestCapped(t *testing.T) {
	t.Parallel()
	c := &capped{most: 5}
	for _, text := range []string{"abc", "def", "ghi"} {
		if n, err := c.Write([]byte(text)); n != 3 || err != nil {
			t.Error(n, err)
		}
	}
	if string(c.data) != "abcde" || !c.isCut {
		t.Errorf("%+v", c)
	}
}
