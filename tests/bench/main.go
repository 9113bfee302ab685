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
	rate     int
	seconds  int
	idle     time.Duration
	timeout  time.Duration
	child    string
}

type measurement struct {
	name    string
	measure func(context.Context, *bench) error
}

// cases are the measurements in the order they run in.
var cases = []measurement{
	{"hop", measureHops},
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
	if s.child != "" {
		return child(ctx, s.child, os.Stdin, out)
	}
	work, err := os.MkdirTemp(s.dir, "penstock-bench-")
	if err != nil {
		return fmt.Errorf("create a directory to work in: %w", err)
	}
	defer os.RemoveAll(work)
	b := &bench{settings: s, work: work, progress: progress}
	if b.report.Facts, err = machine(work); err != nil {
		return err
	}
	for _, c := range cases {
		if !s.wants(c.name) {
			continue
		}
		if err := c.measure(ctx, b); err != nil {
			return fmt.Errorf("measure %s: %w", c.name, err)
		}
	}
	if err := b.report.print(out); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if s.json == "" {
		return nil
	}
	return b.report.save(s.json)
}

func parse(arguments []string, usage io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.IntVar(&s.rounds, "rounds", 3, "how often each hop and the start are measured, in turn")
	flags.IntVar(&s.messages, "n", 2_000_000, "messages of a pipeline's hop; by hand a tenth of it, or a hundredth with sync always")
	flags.StringVar(&s.only, "only", "", "measure only these, separated by commas: hop, latency, start")
	flags.StringVar(&s.json, "json", "", "also write everything that was measured to this file")
	flags.StringVar(&s.dir, "dir", "", "where to put the data directories (default: the system's temporary directory)")
	flags.IntVar(&s.rate, "rate", 10_000, "messages a second when measuring latency")
	flags.IntVar(&s.seconds, "seconds", 5, "how long latency is measured, after one second to warm up")
	flags.DurationVar(&s.idle, "idle", 5*time.Second, "how long a pipeline has been idle when its memory is read")
	flags.DurationVar(&s.timeout, "timeout", 2*time.Minute, "how long one run of one case may take")
	flags.StringVar(&s.child, "child", "", "be the process whose start is measured, with this data directory (the program calls itself so)")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	return s, s.check(flags.Args())
}

func (s settings) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q: there are only flags, see -help", rest[0])
	case s.rounds < 1 || s.messages < 1000 || s.rate < 1 || s.seconds < 1:
		return errors.New("-rounds, -rate and -seconds must be at least 1, and -n at least 1000")
	}
	for name := range strings.SplitSeq(s.only, ",") {
		if name != "" && !slices.ContainsFunc(cases, func(c measurement) bool { return c.name == name }) {
			return fmt.Errorf("-only %s: there is no such case: name some of hop, latency, start", name)
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
