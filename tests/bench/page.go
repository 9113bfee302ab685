package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writeInto replaces what stands in a page between the lines
//
//	<!-- name: begin -->
//	<!-- name: end -->
func writeInto(page, name, text string) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("write into the page: %w", err)
	}
	begin, end := fmt.Sprintf("<!-- %s: begin -->\n", name), fmt.Sprintf("<!-- %s: end -->", name)
	before, rest, found := strings.Cut(string(data), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("write into the page: %s has no lines %q and %q", page, strings.TrimSpace(begin), end)
	}
	if err := os.WriteFile(page, []byte(before+begin+"\n"+text+"\n"+end+after), 0o644); err != nil {
		return fmt.Errorf("write into the page: %w", err)
	}
	return nil
}

// page is the report in Markdown: a table for each case, a row for each
// system, the rates with both settings beside each other.
func (r *report) page() string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s. Medians; in brackets the least and the most of the rounds.\n", r.Facts)
	r.aims(&out)
	r.faster(&out)
	for _, name := range r.caseNames() {
		var of []figure
		for _, f := range r.Figures {
			if f.Case == name {
				of = append(of, f)
			}
		}
		fmt.Fprintf(&out, "\n### %s\n\n", name)
		if strings.HasPrefix(name, "two hops") {
			latencyTable(&out, of)
		} else {
			rateTable(&out, of)
		}
		relations(&out, of)
	}
	return out.String()
}

// aims says what was aimed at, and whether it was reached.
func (r *report) aims(out *strings.Builder) {
	first := true
	for _, f := range r.Figures {
		if f.Aim == nil {
			continue
		}
		if first {
			fmt.Fprint(out, "\n### The aims\n\n| | sync | | aim | measured | |\n|---|---|---|--:|--:|---|\n")
			first = false
		}
		goal, met := "at least "+short(f.Aim.AtLeast), "met"
		if f.Aim.Below > 0 {
			goal = "below " + short(f.Aim.Below)
		}
		if !f.Aim.Met {
			met = "**missed**"
		}
		fmt.Fprintf(out, "| %s | %s | %s, %s | %s | %s | %s |\n", f.Case, f.Sync, f.System, f.What, goal, short(f.Median), met)
	}
}

// faster says where another way is as good as a pipeline, or better.
func (r *report) faster(out *strings.Builder) {
	var found []string
	for _, f := range r.Figures {
		best := r.ours(f)
		if best == nil || isOurs(f.System) || f.System == floorSystem {
			continue
		}
		larger := strings.HasSuffix(f.What, "/s")
		if larger && f.Median >= best.Median || !larger && f.Median <= best.Median {
			found = append(found, fmt.Sprintf("- %s, sync %s: %s has %s %s, a pipeline %s\n", f.Case, f.Sync, f.System, short(f.Median), f.What, short(best.Median)))
		}
	}
	fmt.Fprint(out, "\n### Where an alternative is faster\n\n")
	if len(found) == 0 {
		fmt.Fprint(out, "In none of these figures.\n")
	}
	for _, text := range found {
		out.WriteString(text)
	}
}

// ours is the pipeline's figure of the same kind: the last, which is the one
// with the best settings. What is no rate and no latency has none.
func (r *report) ours(f figure) *figure {
	if !strings.HasSuffix(f.What, "/s") && (!strings.HasPrefix(f.What, "p") || !strings.HasSuffix(f.What, " ms")) {
		return nil
	}
	var found *figure
	for i, o := range r.Figures {
		if o.Case == f.Case && o.Sync == f.Sync && o.What == f.What && isOurs(o.System) {
			found = &r.Figures[i]
		}
	}
	return found
}

func (r *report) caseNames() []string {
	var names []string
	for _, f := range r.Figures {
		if !slices.Contains(names, f.Case) {
			names = append(names, f.Case)
		}
	}
	return names
}

// rateTable has a row for each system.
func rateTable(out *strings.Builder, of []figure) {
	unit := of[0].What
	fmt.Fprintf(out, "| | %s, sync always | × | %s, sync lazy | × | guarantees |\n|---|--:|--:|--:|--:|---|\n", unit, unit)
	for _, system := range systems(of) {
		fmt.Fprintf(out, "| %s |", system)
		guarantee := ""
		for _, sync := range syncModes {
			rate, times := "", ""
			for _, f := range of {
				if f.System != system || f.Sync != sync.name {
					continue
				}
				switch f.What {
				case unit:
					rate = short(f.Median)
					if len(f.Rounds) > 1 {
						rate += " (" + f.spread() + ")"
					}
					guarantee = strings.TrimSuffix(f.Guarantee, sync.durability())
				case timesByHand:
					times = short(f.Median)
				}
			}
			fmt.Fprintf(out, " %s | %s |", rate, times)
		}
		fmt.Fprintf(out, " %s |\n", guarantee)
	}
}

// latencyTable has a row for each system and setting.
func latencyTable(out *strings.Builder, of []figure) {
	fmt.Fprint(out, "| | sync | p50 ms | p99 ms | p99.9 ms | max ms |\n|---|---|--:|--:|--:|--:|\n")
	for _, system := range systems(of) {
		for _, sync := range syncModes {
			cells := map[string]string{}
			for _, f := range of {
				if f.System == system && f.Sync == sync.name {
					cells[f.What] = short(f.Median)
				}
			}
			if behind, late := cells[fallsBehind]; late {
				fmt.Fprintf(out, "| %s | %s | does not keep up: 2 s behind after %s messages | | | |\n", system, sync.name, behind)
			} else if len(cells) > 0 {
				fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", system, sync.name, cells["p50 ms"], cells["p99 ms"], cells["p99.9 ms"], cells["max ms"])
			}
		}
	}
}

// relations says how a pipeline compares with others than those by hand as
// documented.
func relations(out *strings.Builder, of []figure) {
	first := true
	for _, f := range of {
		if f.What != ofTheFile && f.What != timesFastest {
			continue
		}
		if first {
			fmt.Fprintln(out)
			first = false
		}
		fmt.Fprintf(out, "- %s, sync %s: %s %s\n", f.System, f.Sync, short(f.Median), f.What)
	}
}

func systems(of []figure) []string {
	var names []string
	for _, f := range of {
		if !slices.Contains(names, f.System) {
			names = append(names, f.System)
		}
	}
	return names
}

// write draws the curves beside the page, in a folder of its name, and writes
// them and their tables into it.
func (r *curveReport) write(page string) error {
	folder := strings.TrimSuffix(page, filepath.Ext(page))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("draw the curves: %w", err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s. Medians of the rounds.\n", r.Facts)
	for _, result := range r.Curves {
		c, err := result.of()
		if err != nil {
			return err
		}
		file := c.name + ".svg"
		if err := os.WriteFile(filepath.Join(folder, file), result.draw(c), 0o644); err != nil {
			return fmt.Errorf("draw the curves: %w", err)
		}
		fmt.Fprintf(&out, "\n### %s\n\n![%s: %s](%s/%s)\n\n", c.title, c.title, strings.Join(c.reads, ", "), filepath.Base(folder), file)
		result.table(&out, c)
	}
	return writeInto(page, "curves", out.String())
}

func (r curveResult) table(out *strings.Builder, c curve) {
	fmt.Fprintf(out, "| %s | sync | %s |\n|---|---|%s\n", c.axis, strings.Join(c.reads, " | "), strings.Repeat("--:|", len(c.reads)))
	for _, p := range r.Points {
		fmt.Fprintf(out, "| %s | %s |", c.label(p.X), p.Sync)
		for _, what := range c.reads {
			fmt.Fprintf(out, " %s |", short(p.Median[what]))
		}
		fmt.Fprintln(out)
	}
}

// draw draws what was read: one panel each, a line for each setting.
func (r curveResult) draw(c curve) []byte {
	var places []string
	for _, p := range r.Points {
		if place := c.label(p.X); !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	var panels []panel
	for _, what := range c.reads {
		var lines []plotLine
		for _, sync := range syncModes {
			line := plotLine{name: "sync " + sync.name}
			for _, p := range r.Points {
				if p.Sync == sync.name {
					line.values = append(line.values, p.Median[what])
				}
			}
			lines = append(lines, line)
		}
		panels = append(panels, panel{what, lines})
	}
	return draw(c.title, c.axis, places, panels)
}
