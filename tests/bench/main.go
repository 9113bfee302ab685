package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are what the command line says.
type settings struct {
	rounds   int
	messages int
	only     string
	json     string
	dir      string
	rates    []int
	seconds  int
	idle     time.Duration
	timeout  time.Duration
	child    string
	from     string
	write    string
	curves   bool
	profile  bool
	long     bool
	most     uint64
	point    string
}

type measurement struct {
	name    string
	measure func(context.Context, *bench) error
}

// cases are the measurements in the order they run in.
var cases = []measurement{
	{"hop", measureHops},
	{"chain", func(ctx context.Context, b *bench) error { return chainContest.run(ctx, b) }},
	{"keyed", measureKeyed},
	{"fan", measureFans},
	{"latency", measureLatencies},
	{"start", measureStart},
}

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(arguments []string, out, progress io.Writer) error {
	s, err := parse(arguments, progress)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch {
	case s.child != "":
		return child(ctx, s.child, os.Stdin, out)
	case s.point != "":
		return runPoint(ctx, s.point, os.Stdin, out)
	case s.profile:
		return profileHop(ctx, s, out)
	case s.curves:
		return runCurves(ctx, s, out, progress)
	}
	if s.from != "" {
		var r report
		if err := restore(s.from, &r); err != nil {
			return err
		}
		return s.deliver(&r, out)
	}
	r, failed := compare(ctx, s, progress)
	if failed != nil {
		s.write = "" // half a comparison is shown, but does not replace a whole one
	}
	return errors.Join(failed, s.deliver(&r, out))
}

// deliver prints the report and writes it where it is wanted.
func (s settings) deliver(r *report, out io.Writer) error {
	if err := r.print(out); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if s.json != "" {
		if err := save(s.json, r); err != nil {
			return err
		}
	}
	if s.write == "" {
		return nil
	}
	return writeInto(s.write, "figures", r.page())
}

// compare measures the cases that are wanted. After an error the report has
// what was measured before.
func compare(ctx context.Context, s settings, progress io.Writer) (report, error) {
	work, err := os.MkdirTemp(s.dir, "penstock-bench-")
	if err != nil {
		return report{}, fmt.Errorf("create a directory to work in: %w", err)
	}
	defer os.RemoveAll(work)
	b := &bench{settings: s, work: work, progress: progress}
	if b.report.Facts, err = machine(work); err != nil {
		return report{}, err
	}
	for _, c := range cases {
		if !s.wants(c.name) {
			continue
		}
		if err := c.measure(ctx, b); err != nil {
			return b.report, fmt.Errorf("measure %s: %w", c.name, err)
		}
	}
	return b.report, nil
}

func parse(arguments []string, usage io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.IntVar(&s.rounds, "rounds", 0, "how often everything is measured, in turn (default 5; with -curves 3)")
	flags.IntVar(&s.messages, "n", 1_000_000, "messages of a pipeline; by hand a tenth of it, or a hundredth with sync always")
	flags.StringVar(&s.only, "only", "", "measure only these, separated by commas: "+strings.Join(s.names(), ", ")+"; with -curves: "+strings.Join(curveNames(), ", "))
	flags.StringVar(&s.json, "json", "", "also write everything that was measured to this file")
	flags.StringVar(&s.dir, "dir", "", "where to put the data directories (default: the system's temporary directory)")
	flags.Func("rates", "messages a second when measuring latency, separated by commas (default 1000,10000,100000)", s.parseRates)
	flags.IntVar(&s.seconds, "seconds", 5, "how long latency is measured, after one second to warm up")
	flags.DurationVar(&s.idle, "idle", 5*time.Second, "how long a pipeline has been idle when its memory is read")
	flags.DurationVar(&s.timeout, "timeout", 10*time.Minute, "how long one run of one case may take")
	flags.StringVar(&s.from, "from", "", "measure nothing: take the result from this file, which -json wrote")
	flags.StringVar(&s.write, "write", "", "write the tables (and with -curves the drawings) into this page, between its markers")
	flags.BoolVar(&s.curves, "curves", false, "measure how the costs of a pipeline grow, instead of comparing it")
	flags.BoolVar(&s.profile, "profile", false, "say where the processor time of a hop goes, instead of comparing it")
	flags.BoolVar(&s.long, "long", false, "with -curves: also the points that take many minutes (a backlog of 50 million)")
	flags.Uint64Var(&s.most, "most", 0, "with -curves: leave out points above this (default: none)")
	flags.StringVar(&s.child, "child", "", "be the process whose start is measured, with this data directory (the program calls itself so)")
	flags.StringVar(&s.point, "point", "", "be the process that measures this point of a curve (the program calls itself so)")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	if s.rates == nil {
		s.rates = []int{1000, latencyRate, 100_000}
	}
	if s.rounds == 0 {
		s.rounds = 5
		if s.curves {
			s.rounds = 3
		}
	}
	return s, s.check(flags.Args())
}

func (s *settings) parseRates(text string) error {
	for field := range strings.SplitSeq(text, ",") {
		rate, err := strconv.Atoi(field)
		if err != nil || rate < 1 {
			return fmt.Errorf("%q is no rate", field)
		}
		s.rates = append(s.rates, rate)
	}
	return nil
}

// names are what -only may say.
func (s settings) names() []string {
	if s.curves {
		return curveNames()
	}
	var names []string
	for _, c := range cases {
		names = append(names, c.name)
	}
	return names
}

func (s settings) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q: there are only flags, see -help", rest[0])
	case s.rounds < 1 || s.messages < 1000 || s.seconds < 1:
		return errors.New("-rounds and -seconds must be at least 1, and -n at least 1000")
	case s.long && !s.curves:
		return errors.New("-long goes with -curves")
	}
	for name := range strings.SplitSeq(s.only, ",") {
		if name != "" && !slices.Contains(s.names(), name) {
			return fmt.Errorf("-only %s: there is no such case: name some of %s", name, strings.Join(s.names(), ", "))
		}
	}
	return nil
}

func (s settings) wants(name string) bool {
	return s.only == "" || slices.Contains(strings.Split(s.only, ","), name)
}

// bench is one run of the program.
type bench struct {
	settings
	work     string
	progress io.Writer
	report   report
	runs     int
}

// fresh names a data directory that nobody has used.
func (b *bench) fresh() string {
	b.runs++
	return filepath.Join(b.work, fmt.Sprint("run-", b.runs))
}

// tell says what is going on; it goes where no report goes.
func (b *bench) tell(format string, arguments ...any) {
	fmt.Fprintf(b.progress, format+"\n", arguments...)
}
