package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"
	"time"
)

// settings are what the command line says.
type settings struct {
	rounds     int
	turn       time.Duration
	dashboards int
	least      float64
	dir        string
	watch      string // the URL of a page: be the dashboards
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "watched:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	if s.watch != "" {
		return watch(ctx, s.watch, s.dashboards, out)
	}
	result, err := measure(ctx, s)
	if err != nil {
		return err
	}
	result.print(out)
	for m, ratio := range result.ratios() {
		if ratio < s.least {
			return fmt.Errorf("%s: %.3f of the throughput is left, and not %.3f", mode(m), ratio, s.least)
		}
	}
	return nil
}

func parse(args []string) (s settings, err error) {
	f := flag.NewFlagSet("watched", flag.ContinueOnError)
	f.IntVar(&s.rounds, "rounds", 10, "how often each of the three takes its turn")
	f.DurationVar(&s.turn, "turn", 6*time.Second, "how long a turn is")
	f.IntVar(&s.dashboards, "dashboards", 100, "how many dashboards are open")
	f.Float64Var(&s.least, "least", 0, "fail when less than this share of the throughput is left")
	f.StringVar(&s.dir, "dir", "", "the directory to work in; default: a temporary one")
	f.StringVar(&s.watch, "watch", "", "open the dashboards of the page at this URL, until standard input ends")
	return s, f.Parse(args)
}

// mode is who watches in a turn.
type mode int

const (
	off     mode = iota // no telemetry
	alone               // a server, and nobody who looks
	watched             // dashboards and a scraper
	modes
)

func (m mode) String() string {
	return [...]string{"no telemetry", "telemetry, no dashboard", "dashboards and a scraper"}[m]
}

// figure is what was measured in one turn.
type figure struct {
	rate   float64 // messages a second
	memory uint64  // bytes, of the process, at the end of the turn
}

// result has the figures by mode, one a round.
type result struct {
	figures [modes][]figure
}

// ratios compare each mode with the turn of the same round in which nobody
// could look: the median of the rounds.
func (r *result) ratios() (all [modes]float64) {
	for m := range modes {
		list := []float64{}
		for k, f := range r.figures[m] {
			list = append(list, f.rate/r.figures[off][k].rate)
		}
		all[m] = median(list)
	}
	return all
}

func median[T uint64 | float64](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func (r *result) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tmessages/s\tratio\tlowest\thighest\tmemory, most\t")
	ratios := r.ratios()
	for m := range modes {
		rates, ratio, memory := []float64{}, []float64{}, uint64(0)
		for k, f := range r.figures[m] {
			rates, memory = append(rates, f.rate), max(memory, f.memory)
			ratio = append(ratio, f.rate/r.figures[off][k].rate)
		}
		fmt.Fprintf(t, "%v\t%.0f\t%.3f\t%.3f\t%.3f\t%d MiB\t\n", m, median(rates), ratios[m], slices.Min(ratio), slices.Max(ratio), memory>>20)
	}
	_ = t.Flush()
}
