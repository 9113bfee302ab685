//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"penstock/tests/chaos/workload"
)

// harmRow is what came of the cycles in which files were damaged.
type harmRow struct {
	Cycles     int `json:"cycles"`
	Exact      int `json:"exact"`      // the doctor saw nothing wrong, and nothing was
	Mended     int `json:"mended"`     // something was wrong, and the result is exact: the pipeline mended it by itself
	Repaired   int `json:"repaired"`   // refused, repaired, and then exact
	Letters    int `json:"letters"`    // refused, repaired, and then exact but for dead letters that the repair said are lost
	Unmendable int `json:"unmendable"` // refused, and the repair refuses, too
	Wrong      int `json:"wrong"`      // the result is wrong, and nobody said so
	Other      int `json:"other"`      // any other finding
}

func harmRowOf(rows map[string]*harmRow, name string) *harmRow {
	if rows[name] == nil {
		rows[name] = &harmRow{}
	}
	return rows[name]
}

func (w *harmRow) add(c *cycle) {
	w.Cycles++
	switch {
	case slices.ContainsFunc(c.Findings, func(f workload.Finding) bool {
		return !slices.Contains([]string{hung, crashed, unclear, unseen}, f.Kind)
	}):
		w.Wrong++
	case len(c.Findings) > 0:
		w.Other++
	case !c.Completed:
		w.Unmendable++
	case c.lettersGone:
		w.Letters++
	case c.repaired != "":
		w.Repaired++
	case c.seen:
		w.Mended++
	default:
		w.Exact++
	}
}

// harmTable says what came of damaged files, by kind and by way.
func (r *report) harmTable(out io.Writer) {
	if len(r.Damaged) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	for _, part := range []struct {
		head string
		rows map[string]*harmRow
	}{{"damaged file", r.Damaged}, {"damage", r.Ways}} {
		fmt.Fprintf(table, "\n%s\tcycles\tharmless\tmended by itself\trefused, repaired\tbut for letters\trefused for good\tsilently wrong\tother\t\n", part.head)
		for _, name := range slices.Sorted(maps.Keys(part.rows)) {
			w := part.rows[name]
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", name, w.Cycles, w.Exact, w.Mended, w.Repaired, w.Letters, w.Unmendable, w.Wrong, w.Other)
		}
	}
	_ = table.Flush()
}
