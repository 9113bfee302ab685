package drawing

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"penstock/engine/observe"
	"penstock/internal/testing/hostile"
	"penstock/internal/testing/tool"
	"penstock/telemetry/record"
)

// A drawing of hostile text has no element and no attribute that could act.
func TestHostileTextInADrawing(t *testing.T) {
	t.Parallel()
	tool.Find(t, "dot")
	g := observe.Graph{
		Pipeline: hostile.Text, Groups: []observe.GraphGroup{{Name: hostile.Text, Strategy: hostile.Text}},
		Stages:   []observe.GraphStage{{Name: hostile.Text, Kind: observe.Kind(hostile.Text), Group: hostile.Text}, {Name: "<b>b</b>"}},
		Channels: []observe.GraphChannel{{Stream: hostile.Text, Writer: hostile.Text, Reader: "<b>b</b>", Type: hostile.Text}},
	}
	now := &record.Sample{Stages: []record.StageSample{{Name: hostile.Text, State: hostile.Text, Health: hostile.Text, Breaker: hostile.Text}}, Channels: []record.ChannelSample{{Stream: hostile.Text, Reader: "<b>b</b>"}}}
	var svg bytes.Buffer
	if err := WriteSVG(t.Context(), &svg, g, now); err != nil {
		t.Fatal(err)
	}
	nodes := 0
	for d := xml.NewDecoder(&svg); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "svg", "g", "title", "path", "polygon", "polyline", "ellipse", "text", "a":
		default:
			t.Errorf("there is a <%s>", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || a.Name.Local == "href" || a.Name.Local == "style" {
				t.Errorf("<%s> has %s=%q", e.Name.Local, a.Name.Local, a.Value)
			}
			if a.Name.Local == "class" && strings.HasPrefix(a.Value, "node") {
				nodes++
			}
		}
	}
	if nodes != 2 {
		t.Errorf("%d stages are drawn of 2", nodes)
	}
}
