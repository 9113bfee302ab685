package drawing

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"

	"penstock/engine/observe"
	"penstock/internal/counted"
	"penstock/telemetry/internal/text"
	"penstock/telemetry/record"
)

// WriteDOT writes a pipeline as a graph in the language of Graphviz: a node a
// stage, a cluster a group, an edge a channel. With a sample it also tells how
// they stand; nil is a pipeline that does not run. Whatever names, types and
// health reasons hold stays text.
func WriteDOT(out io.Writer, g observe.Graph, now *record.Sample) error {
	d := &dot{graph: g}
	if now != nil {
		d.now = *now
	}
	d.line(0, "digraph %s {", quote(g.Pipeline))
	d.line(1, "graph [rankdir=LR, fontname=%s, nodesep=0.4, ranksep=0.9, bgcolor=transparent]", fontName)
	d.line(1, "node [shape=box, style=\"rounded,filled\", fontname=%s, fontsize=11, margin=\"0.18,0.10\", width=1.8]", fontName)
	d.line(1, "edge [fontname=%s, fontsize=9, arrowsize=0.7]", fontName)
	d.group("", 1)
	for _, c := range g.Channels {
		d.channel(c)
	}
	d.line(0, "}")
	_, err := io.WriteString(out, d.text.String())
	return err
}

const fontName = `"Helvetica,Arial,sans-serif"`

type dot struct {
	graph observe.Graph
	now   record.Sample // without stages when it does not run
	text  strings.Builder
}

func (d *dot) line(depth int, format string, args ...any) {
	d.text.WriteString(strings.Repeat("\t", depth))
	fmt.Fprintf(&d.text, format, args...)
	d.text.WriteByte('\n')
}

// group writes the stages of a group, and the groups in it.
func (d *dot) group(path string, depth int) {
	for _, s := range d.graph.Stages {
		if s.Group == path {
			d.stage(s, depth)
		}
	}
	for _, g := range d.graph.Groups {
		if g.Group != path {
			continue
		}
		inner := g.Name
		if path != "" {
			inner = path + "/" + g.Name
		}
		d.line(depth, "subgraph %s {", quote("cluster_"+inner))
		d.line(depth+1, "graph [id=%s, label=%s, tooltip=%s, style=\"rounded,dashed\", color=\"#8a94a6\", labeljust=l, fontsize=10]",
			quote("group-"+inner), quote(g.Name), quote(g.Name+": "+g.Strategy))
		d.group(inner, depth+1)
		d.line(depth, "}")
	}
}

// colors are what a node is filled with, and drawn and written in: dark enough on light for a contrast of 4.5.
var colors = map[record.Color]struct{ fill, line string }{
	record.Green:  {"#dff3e4", "#1b6b3a"},
	record.Yellow: {"#fdf3c7", "#7a5b00"},
	record.Orange: {"#fde3cf", "#9a4a00"},
	record.Red:    {"#fbdcdc", "#a61b1b"},
	record.Grey:   {"#eceff3", "#4a5568"},
}

func (d *dot) stage(s observe.GraphStage, depth int) {
	kind := string(s.Kind)
	if s.Keyed {
		kind += ", by key"
	}
	if s.Partitions > 1 {
		kind += fmt.Sprintf(", %d partitions", s.Partitions)
	}
	label, tip, color := []string{s.Name, kind}, []string{s.Name + ": " + kind}, record.Grey
	if now, ok := d.stageNow(s.Name); ok {
		color = now.Color
		label[1] += " · " + now.State
		label = append(label, briefOf(now))
		if now.DeadLetters > 0 {
			label = append(label, counted.Things(now.DeadLetters, "dead letter"))
		}
		tip = append(tip, tipsOf(now)...)
	}
	c := colors[color]
	d.line(depth, "%s [id=%s, class=%s, label=%s, tooltip=%s, fillcolor=%q, color=%q, fontcolor=%q]", quote(s.Name), quote("stage-"+s.Name),
		quote(color.String()), quote(strings.Join(label, "\n")), quote(strings.Join(tip, "\n")), c.fill, c.line, "#1a202c")
}

func briefOf(s record.StageSample) string {
	load := fmt.Sprintf("load %.0f %%", 100*s.Busy)
	if s.Restarts == 0 {
		return load
	}
	return load + " · " + counted.Things(s.Restarts, "restart")
}

func tipsOf(s record.StageSample) []string {
	list := []string{
		"state: " + s.State,
		fmt.Sprintf("in: %s/s, %d in all", text.Short(s.InRate), s.In),
		fmt.Sprintf("out: %s/s, %d in all", text.Short(s.OutRate), s.Out),
		fmt.Sprintf("a call: %s, p99 %s (last %v)", text.Seconds(s.Call.Mean), text.Seconds(s.Call.P99), record.Window),
		fmt.Sprintf("restarts: %d, faults: %d, dead letters: %d", s.Restarts, s.Faults, s.DeadLetters),
	}
	if len(s.Triggers) > 0 {
		list = append(list, "outside its bounds: "+strings.Join(s.Triggers, ", "))
	}
	for _, wait := range s.Waits {
		list = append(list, "waits for "+wait)
	}
	if s.Health != "" {
		list = append(list, "health: "+s.Health)
	}
	if s.Breaker != "" {
		list = append(list, "circuit breaker: "+s.Breaker)
	}
	return list
}

func (d *dot) channel(c observe.GraphChannel) {
	to := c.Reader
	if to == "" { // no reader
		to = "no reader: " + c.Stream
		d.line(1, "%s [shape=point, style=filled, label=\"\", tooltip=%s]", quote(to), quote(c.Stream+" has no reader"))
	}
	name, color, width := c.Type, record.Grey, 1.0
	if _, branch, found := strings.Cut(c.Stream, "/"); found {
		name = branch + ": " + c.Type
	}
	label := []string{name}
	tip := []string{c.Stream + " to " + cmp.Or(c.Reader, "no reader"), fmt.Sprintf("holds %s or %s", counted.Things(c.CapacityMessages, "message"), text.Size(float64(c.CapacityBytes)))}
	if now, ok := d.channelNow(c); ok {
		color, width = now.Color, 1+math.Log10(1+now.Rate)
		speed := text.Short(now.Rate) + "/s · p99 –"
		tip = append(tip, fmt.Sprintf("%s waiting, the oldest for %s", text.Short(float64(now.Lag)), text.Seconds(now.Oldest)),
			fmt.Sprintf("fill: %.1f %%, %s stored", 100*now.Fill, text.Size(float64(now.Bytes))), fmt.Sprintf("consumed: %d of %d", now.Taken, now.Written))
		if len(now.Triggers) > 0 {
			tip = append(tip, "outside its bounds: "+strings.Join(now.Triggers, ", "))
		}
		if now.Latency.Count > 0 {
			speed = text.Short(now.Rate) + "/s · p99 " + text.Seconds(now.Latency.P99)
			tip = append(tip, fmt.Sprintf("latency: %s, p99 %s (last %v)", text.Seconds(now.Latency.P50), text.Seconds(now.Latency.P99), record.Window))
		}
		label = append(label, speed, fmt.Sprintf("%s waiting · fill %.0f %%", text.Short(float64(now.Lag)), 100*now.Fill)) // always as many lines, so that nothing jumps
	}
	d.line(1, "%s -> %s [id=%s, class=%s, label=%s, tooltip=%s, labeltooltip=%s, color=%q, fontcolor=%q, penwidth=%.2f]", quote(c.Writer), quote(to),
		quote("channel-"+c.Stream+">"+c.Reader), quote(color.String()), quote(strings.Join(label, "\n")), quote(strings.Join(tip, "\n")),
		quote(strings.Join(tip, "\n")), colors[color].line, "#2d3748", width)
}

func (d *dot) stageNow(name string) (record.StageSample, bool) {
	for _, s := range d.now.Stages {
		if s.Name == name {
			return s, true
		}
	}
	return record.StageSample{}, false
}

func (d *dot) channelNow(c observe.GraphChannel) (record.ChannelSample, bool) {
	for _, now := range d.now.Channels {
		if now.Stream == c.Stream && now.Reader == c.Reader {
			return now, true
		}
	}
	return record.ChannelSample{}, false
}

// quote makes any text one quoted string of the language: what it holds is
// neither markup nor an escape, and a line break is one.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '"', c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '&': // else an entity would be read
			b.WriteString("&amp;")
		case c < ' ', c == 0x7f:
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
