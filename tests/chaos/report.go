//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"penstock/tests/chaos/workload"
)

// report is what a campaign came to.
type report struct {
	Seed      uint64              `json:"seed"`
	Commit    string              `json:"commit"`
	Go        string              `json:"go"`
	CPUs      int                 `json:"cpus"`
	Seconds   float64             `json:"seconds"`
	Cycles    int                 `json:"cycles"`
	Violated  int                 `json:"violated"`
	Total     *row                `json:"total"`
	Faults    map[string]*row     `json:"faults"`
	Points    map[string]int      `json:"points,omitempty"`       // kills at points of the protocol
	Damaged   map[string]*harmRow `json:"damaged,omitempty"`      // by kind of file
	Ways      map[string]*harmRow `json:"damaged_ways,omitempty"` // by what was done to it
	Harms     map[string]*harmRow `json:"damaged_both,omitempty"` // by kind and way
	Skipped   map[string]string   `json:"skipped,omitempty"`
	Violation []violation         `json:"violations,omitempty"`
	Refusals  []refusal           `json:"refusals,omitempty"`

	began time.Time
}

// row is what came of the cycles with one fault.
type row struct {
	Cycles    int `json:"cycles"`
	Struck    int `json:"struck"`  // in the others the pipeline had come to its end before
	Exact     int `json:"exact"`   // the result is right to the last item
	Refused   int `json:"refused"` // it said what is wrong and did not go on
	Lost      int `json:"lost"`    // cycles in which something was; likewise the next ones
	Doubled   int `json:"doubled"`
	Reordered int `json:"reordered"`
	Other     int `json:"other"` // any other finding
	Died      int `json:"died"`  // processes, of what takes the disk away
	Stuck     int `json:"stuck"` // processes that did not go on by themselves when the disk had room again

	Recovery  quantiles  `json:"recovery"`
	Unsynced  *quantiles `json:"unsynced,omitempty"` // how much a power cut took back, where it may
	durations []time.Duration
	unsynced  []time.Duration
}

type quantiles struct {
	Samples int     `json:"samples"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
}

type violation struct {
	Cycle    int                `json:"cycle"`
	Faults   string             `json:"faults"`
	Damages  []string           `json:"damages,omitempty"`
	Findings []workload.Finding `json:"findings"`
}

type refusal struct {
	Cycle   int      `json:"cycle"`
	Faults  string   `json:"faults"`
	Damages []string `json:"damages,omitempty"`
	Reason  string   `json:"reason"`
	Doctor  string   `json:"doctor,omitempty"` // what it said
}

func newReport(c *campaign) *report {
	return &report{
		Seed: c.seed, Commit: commit(), Go: runtime.Version(), CPUs: runtime.NumCPU(), Skipped: c.skipped,
		Total: &row{}, Faults: map[string]*row{}, Points: map[string]int{}, began: time.Now(),
		Damaged: map[string]*harmRow{}, Ways: map[string]*harmRow{}, Harms: map[string]*harmRow{},
	}
}

func (r *report) add(c *cycle) {
	r.Cycles++
	if len(c.Findings) > 0 {
		r.Violated++
		r.Violation = append(r.Violation, violation{c.number, c.ordeal.String(), c.damages, c.Findings})
	}
	if c.Refused != "" {
		r.Refusals = append(r.Refusals, refusal{c.number, c.ordeal.String(), c.damages, c.Refused, c.diagnosis})
	}
	r.Total.add(c)
	rowOf(r.Faults, c.ordeal.String()).add(c)
	if c.harm.kind != "" && len(c.ordeal) == 1 {
		harmRowOf(r.Damaged, c.harm.kind).add(c)
		harmRowOf(r.Ways, c.harm.way).add(c)
		harmRowOf(r.Harms, c.harm.kind+" "+c.harm.way).add(c)
	}
	if c.atPoint != "" && c.Struck {
		r.Points[c.atPoint]++
	}
}

func rowOf(rows map[string]*row, name string) *row {
	if rows[name] == nil {
		rows[name] = &row{}
	}
	return rows[name]
}

func (w *row) add(c *cycle) {
	w.Cycles++
	if c.Struck {
		w.Struck++
	}
	switch {
	case len(c.Findings) > 0:
	case c.Completed:
		w.Exact++
	default:
		w.Refused++
	}
	kinds := map[string]bool{}
	for _, f := range c.Findings {
		switch f.Kind {
		case workload.Lost, workload.Doubled, workload.Reordered:
			kinds[f.Kind] = true
		case uncommitted:
			kinds[workload.Lost] = true
		default:
			kinds["other"] = true
		}
	}
	for kind, count := range map[string]*int{workload.Lost: &w.Lost, workload.Doubled: &w.Doubled, workload.Reordered: &w.Reordered, "other": &w.Other} {
		if kinds[kind] {
			*count++
		}
	}
	w.Died += c.Died
	w.Stuck += c.Stuck
	w.durations = append(w.durations, c.Recoveries...)
	w.Recovery = measure(w.durations)
	if w.unsynced = append(w.unsynced, c.Unsynced...); len(w.unsynced) > 0 {
		u := measure(w.unsynced)
		w.Unsynced = &u
	}
}

func measure(durations []time.Duration) quantiles {
	if len(durations) == 0 {
		return quantiles{}
	}
	sorted := slices.Sorted(slices.Values(durations))
	at := func(q float64) float64 {
		return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]) / float64(time.Millisecond)
	}
	return quantiles{len(sorted), at(0.5), at(0.99), at(1)}
}

// write writes the report to the file, if one is wanted, and the table.
func (r *report) write(c *campaign) error {
	r.Seconds = time.Since(r.began).Seconds()
	slices.SortFunc(r.Violation, func(a, b violation) int { return a.Cycle - b.Cycle })
	r.table(c.out)
	if c.json == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(c.json, append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *report) table(out io.Writer) {
	fmt.Fprintf(out, "\nseed %d, commit %s, %s, %d CPUs, %.0f s\n\n", r.Seed, r.Commit, r.Go, r.CPUs, r.Seconds)
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	head := func(first string) {
		fmt.Fprintf(table, "%s\tcycles\tstruck\texact\trefused\tlost\tdoubled\treordered\tother\trecovery p50\tp99\tmax\t\n", first)
	}
	line := func(name string, w *row) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t", name, w.Cycles, w.Struck, w.Exact, w.Refused, w.Lost, w.Doubled, w.Reordered, w.Other)
		if w.Recovery.Samples == 0 {
			fmt.Fprint(table, "\t\t\t\n")
			return
		}
		fmt.Fprintf(table, "%.0f ms\t%.0f ms\t%.0f ms\t\n", w.Recovery.P50, w.Recovery.P99, w.Recovery.Max)
	}
	head("fault")
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		line(name, r.Faults[name])
	}
	line("all", r.Total)
	_ = table.Flush()
	r.harmTable(out)
	if len(r.Points) > 0 {
		fmt.Fprint(out, "\nkilled at")
		for _, name := range slices.Sorted(maps.Keys(r.Points)) {
			fmt.Fprintf(out, " %s %d", name, r.Points[name])
		}
		fmt.Fprintln(out)
	}
	if r.Total.Died+r.Total.Stuck > 0 {
		fmt.Fprintf(out, "\n%d processes died when their disk was taken away, %d had to be restarted when it had room again\n", r.Total.Died, r.Total.Stuck)
	}
	if u := r.Total.Unsynced; u != nil {
		fmt.Fprintf(out, "\n%d power cuts with a sync interval of %v: the oldest commit that was lost was p50 %.0f ms, p99 %.0f ms, at most %.0f ms old; more than %v is a violation\n",
			u.Samples, syncInterval, u.P50, u.P99, u.Max, syncAllowed)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(out, "skipped %s: %s\n", name, r.Skipped[name])
	}
}
