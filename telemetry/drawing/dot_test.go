package drawing

import (
	"strings"
	"testing"

	"penstock/engine/observe"
	"penstock/telemetry/record"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`plain`:                    `"plain"`,
		`a "b" \n c`:               `"a \"b\" \\n c"`,
		"two\nlines":               `"two\nlines"`,
		"<script>&lt;":             `"<script>&amp;lt;"`,
		"\x00\x1b[31m\xff":         "\"\uFFFD\uFFFD[31m\uFFFD\"",
		`"]; evil [URL="x`:         `"\"]; evil [URL=\"x"`,
		"\\":                       `"\\"`,
		"<b>not</b> an HTML label": `"<b>not</b> an HTML label"`,
	} {
		if got := quote(text); got != want {
			t.Errorf("quote(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestWriteDOT(t *testing.T) {
	t.Parallel()
	g := observe.Graph{
		Pipeline: "p",
		Groups:   []observe.GraphGroup{{Name: "back", Strategy: "one_for_one"}, {Name: "inner", Group: "back", Strategy: "rest_for_one"}},
		Stages:   []observe.GraphStage{{Name: "source", Kind: observe.KindSource}, {Name: "sink", Kind: observe.KindSink, Group: "back/inner", Keyed: true}},
		Channels: []observe.GraphChannel{
			{Stream: "source", Writer: "source", Reader: "sink", Type: `map[string]struct { X int "json:\"x\"" }`, CapacityMessages: 64, CapacityBytes: 1 << 20},
			{Stream: "source/odd", Writer: "source", Type: "int"},
		},
	}
	text := func(now *record.Sample) string {
		var b strings.Builder
		if err := WriteDOT(&b, g, now); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	still := text(nil)
	for _, want := range []string{
		`digraph "p" {`, `subgraph "cluster_back" {`, `subgraph "cluster_back/inner" {`, `"sink" [id="stage-sink", class="grey", label="sink\nsink, by key"`,
		`"source" -> "sink" [id="channel-source>sink"`, `struct { X int \"json:\\\"x\\\"\" }`, `"source" -> "no reader: source/odd"`, `"source/odd to no reader\n`, "penwidth=1.00",
	} {
		if !strings.Contains(still, want) {
			t.Errorf("there is no %s in\n%s", want, still)
		}
	}
	if strings.Contains(still, "/s") {
		t.Errorf("rates of what does not run:\n%s", still)
	}
	now := &record.Sample{
		Stages: []record.StageSample{
			{Name: "source", State: "running", Busy: 0.125},
			{Name: "sink", State: "backing off", Color: record.Orange, Restarts: 1, DeadLetters: 2, Health: "degraded: \"cold\"", Latency: record.Spread{Count: 1, P99: 9}},
		},
		Channels: []record.ChannelSample{{Stream: "source", Reader: "sink", Color: record.Red, Rate: 99, Lag: 1500, Latency: record.Spread{Count: 1, P99: 0.0042}, Fill: 0.9, Oldest: 3}},
	}
	moving := text(now)
	for _, want := range []string{
		`source · running\nload 12 %"`, `sink, by key · backing off\nload 0 % · 1 restart\n2 dead letters"`, `health: degraded: \"cold\"`, `class="red"`, `\n99/s · p99 4.2 ms\n1.5k waiting · fill 90 %"`, "1.5k waiting, the oldest for 3.0 s", "penwidth=3.00", "fill: 90.0 %",
	} {
		if !strings.Contains(moving, want) {
			t.Errorf("there is no %s in\n%s", want, moving)
		}
	}
}
