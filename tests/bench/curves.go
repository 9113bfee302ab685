package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"penstock/tests/figures"
	"slices"
	"strconv"
	"text/tabwriter"
)

// What is read at a point of a curve.
const (
	perSecond  = "records/s"
	cpuEach    = "CPU µs per record"
	mostMemory = "MB of memory, at most"
	diskEach   = "disk bytes written per payload byte"
	startTime  = "ms to the first commit after a stop"
	healTime   = "ms to the first commit after a kill"
	idleMemory = "MB of memory after the start"
)

// curve is how the costs of a pipeline grow with one thing.
type curve struct {
	name  string
	title string
	axis  string
	xs    []uint64
	long  []uint64 // only when asked for
	label func(uint64) string
	reads []string
	take  func(ctx context.Context, b *bench, curve string, x uint64, sync syncMode) (map[string]float64, error)
}

var costs = []string{perSecond, cpuEach, mostMemory, diskEach}

var curves = []curve{
	{"stages", "More stages in a row", "stages, source and sink among them", []uint64{2, 3, 5, 10, 20, 50}, nil, plain, costs, takePoint},
	{"keys", "More keys", "keys, all of which have a state; each message changes one", []uint64{10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000}, nil, amount, costs, takePoint},
	{"size", "Larger values", "bytes of a value", []uint64{16, 128, 1 << 10, 8 << 10, 64 << 10, 512 << 10}, nil, bytesLabel, costs, takePoint},
	{"backlog", "A backlog", "messages waiting when the sink begins", []uint64{0, 100_000, 1_000_000, 5_000_000}, []uint64{50_000_000}, amount, costs, takePoint},
	{"state", "Starting with more state", "keys that have a state", []uint64{0, 1_000, 10_000, 100_000, 1_000_000}, []uint64{10_000_000}, amount, []string{startTime, healTime, idleMemory}, takeRestart},
}

func curveNames() []string {
	var names []string
	for _, c := range curves {
		names = append(names, c.name)
	}
	return names
}

func plain(x uint64) string      { return strconv.FormatUint(x, 10) }
func bytesLabel(x uint64) string { return sizeText(int(x)) }

// amount writes round numbers: 10 k, 5 M.
func amount(x uint64) string {
	switch {
	case x >= 1_000_000:
		return strconv.FormatUint(x/1_000_000, 10) + " M"
	case x >= 1_000:
		return strconv.FormatUint(x/1_000, 10) + " k"
	}
	return plain(x)
}

// curveReport is everything that -curves measured.
type curveReport struct {
	Facts  facts         `json:"machine"`
	Curves []curveResult `json:"curves"`
}

type curveResult struct {
	Name   string       `json:"name"`
	Points []curvePoint `json:"points"`
}

// curvePoint is what was read at one point, once a round.
type curvePoint struct {
	X      uint64               `json:"x"`
	Sync   string               `json:"sync"`
	Rounds map[string][]float64 `json:"rounds"`
	Median map[string]float64   `json:"median"`
}

func (p *curvePoint) add(readings map[string]float64) {
	for what, value := range readings {
		p.Rounds[what] = append(p.Rounds[what], value)
		p.Median[what] = figures.Median(p.Rounds[what])
	}
}

// runCurves measures the curves, or takes them from a file, and draws them.
func runCurves(ctx context.Context, s settings, out, progress io.Writer) error {
	var r curveReport
	if s.from != "" {
		if err := restore(s.from, &r); err != nil {
			return err
		}
	} else if err := r.measure(ctx, s, progress); err != nil {
		return err
	}
	if err := r.print(out); err != nil {
		return fmt.Errorf("print the curves: %w", err)
	}
	if s.json != "" {
		if err := save(s.json, r); err != nil {
			return err
		}
	}
	if s.write == "" {
		return nil
	}
	return r.write(s.write)
}

func (r *curveReport) measure(ctx context.Context, s settings, progress io.Writer) error {
	work, err := os.MkdirTemp(s.dir, "penstock-curves-")
	if err != nil {
		return fmt.Errorf("create a directory to work in: %w", err)
	}
	defer os.RemoveAll(work)
	b := &bench{settings: s, work: work, progress: progress}
	if r.Facts, err = machine(work); err != nil {
		return err
	}
	for _, c := range curves {
		if !s.wants(c.name) {
			continue
		}
		result, err := c.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("measure the curve %s: %w", c.name, err)
		}
		r.Curves = append(r.Curves, result)
	}
	return nil
}

// points are the wanted values of x, at least the first.
func (c curve) points(s settings) []uint64 {
	xs := c.xs
	if s.long {
		xs = slices.Concat(xs, c.long)
	}
	for i, x := range xs {
		if i > 0 && s.most > 0 && x > s.most {
			return xs[:i]
		}
	}
	return xs
}

func (c curve) measure(ctx context.Context, b *bench) (curveResult, error) {
	result := curveResult{Name: c.name}
	xs := c.points(b.settings)
	for _, sync := range syncModes {
		for _, x := range xs {
			result.Points = append(result.Points, curvePoint{X: x, Sync: sync.name, Rounds: map[string][]float64{}, Median: map[string]float64{}})
		}
	}
	for round := range b.rounds {
		for i := range result.Points {
			p := &result.Points[i]
			sync := syncModes[i/len(xs)]
			readings, err := c.take(ctx, b, c.name, p.X, sync)
			if err != nil {
				return result, fmt.Errorf("at %s, sync %s: %w", c.label(p.X), sync.name, err)
			}
			p.add(readings)
			b.tell("%s at %s, sync %s, round %d: %s %s", c.name, c.label(p.X), sync.name, round+1, short(readings[c.reads[0]]), c.reads[0])
		}
	}
	return result, nil
}

// of finds the declaration of a result.
func (r curveResult) of() (curve, error) {
	i := slices.IndexFunc(curves, func(c curve) bool { return c.name == r.Name })
	if i < 0 {
		return curve{}, fmt.Errorf("there is no curve %q", r.Name)
	}
	return curves[i], nil
}

func (r *curveReport) print(out io.Writer) error {
	fmt.Fprintf(out, "%s\n", r.Facts)
	for _, result := range r.Curves {
		c, err := result.of()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%s (%s)\n\n", c.title, c.axis)
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprint(table, c.name, "\tsync")
		for _, what := range c.reads {
			fmt.Fprint(table, "\t", what)
		}
		fmt.Fprintln(table)
		for _, p := range result.Points {
			fmt.Fprint(table, c.label(p.X), "\t", p.Sync)
			for _, what := range c.reads {
				fmt.Fprint(table, "\t", short(p.Median[what]))
			}
			fmt.Fprintln(table)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}
