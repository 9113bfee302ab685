//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// report is everything that the command found.
type report struct {
	Facts    facts           `json:"machine"`
	Settings settings        `json:"settings"`
	Subjects []subjectReport `json:"pipelines,omitempty"`
	Restarts []restart       `json:"restarts,omitempty"`
	Result   *result         `json:"result,omitempty"`
}

// subjectReport is that of one pipeline of a soak.
type subjectReport struct {
	Name     string     `json:"name"`
	Sync     string     `json:"sync"`
	Trends   []measured `json:"trends"`
	Restarts []float64  `json:"restarts,omitempty"` // seconds from exec to the first new commit
	Result   result     `json:"result"`
	Samples  []sample   `json:"samples"`
}

// measured is the trend of a measure.
type measured struct {
	Name string  `json:"name"`
	ADay float64 `json:"bound_per_day"`
	trend
}

// judge finds the trends after the warm-up. The memory of a process that is
// killed soon, and what waits after its start, tell nothing.
func (s *subjectReport) judge(after float64) {
	for _, m := range measures {
		if s.Restarts != nil && !strings.HasPrefix(m.name, "disk") {
			continue
		}
		var hours, values []float64
		for _, sample := range s.Samples {
			if v, found := sample.Values[m.name]; found && sample.Hours >= after {
				hours, values = append(hours, sample.Hours), append(values, v)
			}
		}
		s.Trends = append(s.Trends, measured{m.name, m.aDay, trendOf(hours, values, m.aDay)})
	}
}

// ok says that every result is exact and every measure flat. How soon a killed
// process goes on is not judged.
func (r *report) ok() bool {
	if r.Result != nil && r.Result.Wrong != "" {
		return false
	}
	for _, s := range r.Subjects {
		if s.Result.Wrong != "" {
			return false
		}
		for _, m := range s.Trends {
			if m.Verdict == grows {
				return false
			}
		}
	}
	return true
}

func (r *report) write(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d cores, %s, %s; in %s; %s; load before %s; commit %s\n",
		r.Facts.CPU, r.Facts.Cores, r.Facts.System, r.Facts.Go, r.Facts.Dir, r.Facts.Time.Format("2006-01-02 15:04 UTC"), r.Facts.Load, r.Facts.Commit)
	for k := range r.Subjects {
		if err := r.Subjects[k].write(out, r.Settings); err != nil {
			return err
		}
	}
	if r.Result != nil {
		r.writeRestarts(out)
	}
	if r.Settings.json != "" {
		data, err := json.MarshalIndent(r, "", " ")
		if err == nil {
			err = os.WriteFile(r.Settings.json, append(data, '\n'), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return r.draw()
}

func (s *subjectReport) write(out io.Writer, settings settings) error {
	title := "one process"
	if s.Restarts != nil {
		title = fmt.Sprintf("killed %d times", len(s.Restarts))
	}
	fmt.Fprintf(out, "\n%s: %s, sync %s, %s of which %s are not measured, %d messages/s, %d keys, seed %d\n\n", s.Name, title, s.Sync,
		settings.Duration, settings.Warmup, settings.Rate, settings.Keys, settings.Seed)
	table := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| measure\t| first fifth\t| last fifth\t| least .. most\t| slope per hour\t| 95% interval\t| may grow in a day\t| verdict\t|")
	fmt.Fprintln(table, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, m := range s.Trends {
		fmt.Fprintf(table, "| %s\t| %s\t| %s\t| %s .. %s\t| %+.2f\t| %+.2f .. %+.2f\t| %.0f\t| %s\t|\n", m.Name, short(m.First), short(m.Last),
			short(m.Least), short(m.Most), m.Slope, m.Low, m.High, m.ADay, m.Verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d ids, %s; %s\n", s.Result.IDs, exactness(s.Result), s.totals())
	if len(s.Restarts) > 0 {
		fmt.Fprintf(out, "from exec to the first new commit of the keyed stage: p50 %s, p99 %s, most %s\n",
			seconds(percentile(s.Restarts, 0.5)), seconds(percentile(s.Restarts, 0.99)), seconds(percentile(s.Restarts, 1)))
	}
	return nil
}

// totals adds up what the stages went through.
func (s *subjectReport) totals() string {
	var sum struct{ Starts, Restarts, Panics, Errors, Unhealthy, Abandoned, Dead uint64 }
	for _, data := range s.Result.Stages {
		var one struct {
			Starts, Restarts, Panics, Errors, Unhealthy, Abandoned uint64
			Dead                                                   uint64 `json:"dead_letters"`
		}
		if json.Unmarshal(data, &one) != nil {
			continue
		}
		sum.Starts, sum.Restarts, sum.Panics, sum.Errors = sum.Starts+one.Starts, sum.Restarts+one.Restarts, sum.Panics+one.Panics, sum.Errors+one.Errors
		sum.Unhealthy, sum.Abandoned, sum.Dead = sum.Unhealthy+one.Unhealthy, sum.Abandoned+one.Abandoned, sum.Dead+one.Dead
	}
	return fmt.Sprintf("stages: %d restarts, %d panics, %d errors, %d hung, %d left behind, %d dead letters",
		sum.Restarts, sum.Panics, sum.Errors, sum.Unhealthy, sum.Abandoned, sum.Dead)
}

func exactness(r result) string {
	if r.Wrong != "" {
		return "WRONG: " + r.Wrong
	}
	return "the result is exact"
}

func (r *report) writeRestarts(out io.Writer) {
	var ready, commit, cpu []float64
	for _, one := range r.Restarts {
		ready, commit, cpu = append(ready, one.Ready), append(commit, one.Commit), append(cpu, one.CPU)
	}
	fmt.Fprintf(out, "\n%d keys, killed %d times under load, seed %d; %d ids, %s\n\n", r.Settings.Keys, len(r.Restarts), r.Settings.Seed,
		r.Result.IDs, exactness(*r.Result))
	fmt.Fprintln(out, "| seconds from exec to | p50 | p99 | most |\n|---|---|---|---|")
	row := func(name string, list []float64) {
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", name, seconds(percentile(list, 0.5)), seconds(percentile(list, 0.99)), seconds(percentile(list, 1)))
	}
	row("every stage open", ready)
	row("the first new commit of the keyed stage", commit)
	row("that commit, CPU time", cpu)
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond).String()
}

// short writes a value with about three digits.
func short(v float64) string {
	if math.Abs(v) < 100 {
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// draw writes a drawing for each pipeline.
func (r *report) draw() error {
	if r.Settings.svg == "" {
		return nil
	}
	for _, s := range r.Subjects {
		file := filepath.Join(r.Settings.svg, "soak-"+s.Name+".svg")
		if err := os.WriteFile(file, s.drawing(r.Settings.Warmup.Hours()), 0o644); err != nil {
			return fmt.Errorf("draw: %w", err)
		}
	}
	return nil
}
