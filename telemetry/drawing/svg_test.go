package drawing

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/engine/observe"
	"penstock/internal/testing/tool"
	"penstock/telemetry/record"
)

// largeGraph is a pipeline of so many stages that fan out and in again.
func largeGraph(stages int) (observe.Graph, *record.Sample) {
	g, now := observe.Graph{Pipeline: "large"}, &record.Sample{}
	for k := range stages {
		name := fmt.Sprintf("stage-%d", k)
		g.Stages = append(g.Stages, observe.GraphStage{Name: name, Kind: observe.KindProcessor})
		now.Stages = append(now.Stages, record.StageSample{Name: name, State: "running", Busy: 0.5})
		for _, writer := range []int{(k - 1) / 2, k - 3} {
			if k > 0 && writer >= 0 {
				stream := fmt.Sprintf("stage-%d", writer)
				g.Channels = append(g.Channels, observe.GraphChannel{Stream: stream, Writer: stream, Reader: name, Type: "uint64"})
				now.Channels = append(now.Channels, record.ChannelSample{Stream: stream, Reader: name, Rate: 1000})
			}
		}
	}
	return g, now
}

// A graph of 40 stages is drawn within the time that a drawing may take, and once for all who ask.
func TestALargeDrawing(t *testing.T) {
	t.Parallel()
	tool.Find(t, "dot")
	g, now := largeGraph(40)
	var text strings.Builder
	if err := WriteDOT(&text, g, now); err != nil {
		t.Fatal(err)
	}
	d := NewDrawer()
	if _, err := d.Draw(t.Context(), []byte("digraph warm { a -> b }")); err != nil {
		t.Fatal(err)
	}
	svg, err := d.Draw(t.Context(), []byte(text.String()))
	if err != nil || strings.Count(string(svg), `class="node`) != 40 {
		t.Fatalf("%v\n%s", err, svg)
	}
	again, err := d.Draw(t.Context(), []byte(text.String()))
	if err != nil || &again[0] != &svg[0] {
		t.Errorf("it was drawn again, %v", err)
	}
}

// Who does not want to wait leaves, also while another one is drawn.
func TestDrawingEnds(t *testing.T) {
	t.Parallel()
	d := NewDrawer()
	d.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Draw(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-d.turn
	tool.Find(t, "dot")
	if _, err := d.Draw(ctx, []byte("digraph {}")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := d.Draw(t.Context(), []byte("digraph {")); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("what is no graph: %v", err)
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
