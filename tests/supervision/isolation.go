//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// load is what the stages carry that do not fail.
type load struct {
	name string
	rate int // messages a second; 0: as many as possible
}

// pair is a round: the same load without and with a crash loop.
type pair struct{ quiet, loop window }

func (m *measurement) isolation(ctx context.Context, out io.Writer) error {
	rows := [][]string{{"load", "beside it", "msgs/s", "ratio (least .. most)", "p50 ms", "p99 ms", "crashes/s", "cores used"}}
	var last window
	var lastLoad load
	for _, l := range []load{{fmt.Sprintf("%d/s", m.rate), m.rate}, {"unbounded", 0}} {
		var pairs []pair
		for round := range m.rounds {
			m.tell("isolation, load %s, round %d of %d", l.name, round+1, m.rounds)
			p, err := m.pair(ctx, l, round%2 == 1)
			if err != nil {
				return err
			}
			pairs = append(pairs, p)
		}
		rows = append(rows, isolationRows(l, pairs)...)
		if l.rate > 0 {
			last, lastLoad = pairs[len(pairs)-1].loop, l
		}
	}
	title := fmt.Sprintf("A crash loop of %v (a restart after %v) beside source -> stage -> sink, 128 B, sync lazy: medians of %d rounds",
		m.duration, m.backoff, m.rounds)
	if err := table(out, title, rows); err != nil {
		return err
	}
	return table(out, "The process during a crash loop, load "+lastLoad.name, memoryRows(last))
}

func (m *measurement) pair(ctx context.Context, l load, loopFirst bool) (p pair, err error) {
	both := []struct {
		crashes bool
		into    *window
	}{{false, &p.quiet}, {true, &p.loop}}
	if loopFirst {
		both[0], both[1] = both[1], both[0]
	}
	for _, one := range both {
		config := m.config(lazily)
		c := m.newCrashLoop(l, config.Dir, one.crashes)
		*one.into, err = c.run(ctx, config)
		if err != nil {
			return p, err
		}
		if err := os.RemoveAll(config.Dir); err != nil {
			return p, fmt.Errorf("remove the data directory: %w", err)
		}
	}
	return p, nil
}

func isolationRows(l load, pairs []pair) [][]string {
	column := func(of func(pair) float64) (values []float64) {
		for _, p := range pairs {
			values = append(values, of(p))
		}
		return values
	}
	middle := func(of func(pair) float64) float64 { return percentile(column(of), 0.5) }
	row := func(beside, ratio string, w func(pair) window) []string {
		return []string{l.name, beside,
			fmt.Sprintf("%.0f", middle(func(p pair) float64 { return w(p).rate() })), ratio,
			fmt.Sprintf("%.2f", middle(func(p pair) float64 { return percentile(w(p).latencies, 0.5) })),
			fmt.Sprintf("%.2f", middle(func(p pair) float64 { return percentile(w(p).latencies, 0.99) })),
			fmt.Sprintf("%.0f", middle(func(p pair) float64 { return w(p).crashRate() })),
			fmt.Sprintf("%.2f", middle(func(p pair) float64 { return w(p).cores() }))}
	}
	ratios := column(func(p pair) float64 { return p.loop.rate() / p.quiet.rate() })
	ratio := fmt.Sprintf("%.2f (%.2f .. %.2f)", percentile(ratios, 0.5), percentile(ratios, 1e-9), percentile(ratios, 1))
	return [][]string{
		row("an idle stage", "1", func(p pair) window { return p.quiet }),
		row("a crash loop", ratio, func(p pair) window { return p.loop }),
	}
}

func memoryRows(w window) [][]string {
	rows := [][]string{{"after s", "RSS MB", "heap in use MB", "data directory MB", "goroutines", "crashes so far", "msgs so far"}}
	for _, s := range w.samples {
		rows = append(rows, []string{
			fmt.Sprintf("%.1f", s.time.Sub(w.samples[0].time).Seconds()), fmt.Sprintf("%.0f", s.rss), fmt.Sprintf("%.0f", s.heap), fmt.Sprintf("%.0f", s.disk),
			fmt.Sprint(s.goroutines), fmt.Sprint(s.crashes - w.samples[0].crashes), fmt.Sprint(s.messages - w.samples[0].messages)})
	}
	return rows
}

// window is what was measured, between two samples or more.
type window struct {
	samples   []sample
	latencies []float64 // milliseconds
}

type sample struct {
	process
	disk              float64 // MB of the data directory
	messages, crashes uint64
}

func (w window) ends() (first, last sample, seconds float64) {
	first, last = w.samples[0], w.samples[len(w.samples)-1]
	return first, last, last.time.Sub(first.time).Seconds()
}

func (w window) rate() float64 {
	first, last, seconds := w.ends()
	return float64(last.messages-first.messages) / seconds
}

func (w window) crashRate() float64 {
	first, last, seconds := w.ends()
	return float64(last.crashes-first.crashes) / seconds
}

func (w window) cores() float64 {
	first, last, seconds := w.ends()
	return (last.cpu - first.cpu).Seconds() / seconds
}

// warmup is how long the load runs before it is measured.
const warmup = time.Second

// samples is how often a run is looked at, after its begin.
const samples = 5
