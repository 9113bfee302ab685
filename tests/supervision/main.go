//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"text/tabwriter"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

type settings struct {
	isolation, recovery bool
	duration            time.Duration
	rounds              int
	rate                int
	panics              int
	backoff             time.Duration
	dir                 string
	profile             string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "supervision:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, out, progress io.Writer) (err error) {
	s, err := parse(arguments, progress)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(s.dir, "penstock-supervision-")
	if err != nil {
		return fmt.Errorf("create a directory to work in: %w", err)
	}
	defer os.RemoveAll(work)
	if s.profile != "" {
		file, err := os.Create(s.profile)
		if err != nil {
			return fmt.Errorf("create the profile: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	m := &measurement{settings: s, work: work, progress: progress}
	if s.isolation {
		if err := m.isolation(ctx, out); err != nil {
			return fmt.Errorf("isolation: %w", err)
		}
	}
	if s.recovery {
		if err := m.recovery(ctx, out); err != nil {
			return fmt.Errorf("recovery: %w", err)
		}
	}
	return nil
}

func parse(arguments []string, usage io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("supervision", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.BoolVar(&s.isolation, "isolation", false, "measure what a crash loop costs the other stages")
	flags.BoolVar(&s.recovery, "recovery", false, "measure the time from a panic to the next commit")
	flags.DurationVar(&s.duration, "duration", 10*time.Second, "how long a crash loop lasts")
	flags.IntVar(&s.rounds, "rounds", 3, "how often each isolation run is repeated, in turn")
	flags.IntVar(&s.rate, "rate", 50_000, "messages a second of the bounded load")
	flags.DurationVar(&s.backoff, "backoff", 0, "how long the crash loop waits before each restart")
	flags.IntVar(&s.panics, "panics", 1000, "how many panics to recover from")
	flags.StringVar(&s.dir, "dir", "", "where to put the data directories (default: the system's temporary directory)")
	flags.StringVar(&s.profile, "cpuprofile", "", "write a CPU profile to this file")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q: there are only flags, see -help", flags.Arg(0))
	case s.duration < samples*time.Millisecond || s.rounds < 1 || s.rate < 1 || s.panics < 1:
		return s, errors.New("-rounds, -rate and -panics must be at least 1, and -duration at least 5ms")
	}
	if !s.isolation && !s.recovery {
		s.isolation, s.recovery = true, true
	}
	return s, nil
}

type measurement struct {
	settings
	work     string
	progress io.Writer
	runs     int
}

// config is that of a new pipeline which logs nothing.
func (m *measurement) config(sync time.Duration) engine.Config {
	m.runs++
	return engine.Config{
		Dir:    filepath.Join(m.work, fmt.Sprint("run-", m.runs)),
		Sync:   sync,
		Logger: slog.New(slog.DiscardHandler),
	}
}

func (m *measurement) tell(format string, arguments ...any) {
	fmt.Fprintf(m.progress, format+"\n", arguments...)
}

// lazily is how often the server syncs where power cuts do not count.
const lazily = time.Minute

// forEver restarts a stage after a delay, or at once, and for ever.
func forEver(delay time.Duration) []engine.Option {
	return []engine.Option{engine.RestartBackoff(supervise.Fixed(delay)), engine.RestartLimit(-1, 0)}
}

// table prints rows of cells, the first of them the head.
func table(out io.Writer, title string, rows [][]string) error {
	fmt.Fprintf(out, "\n%s\n\n", title)
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	for k, row := range rows {
		fmt.Fprintf(w, "| %s\t|\n", strings.Join(row, "\t| "))
		if k == 0 {
			fmt.Fprintf(w, "%s\t|\n", strings.TrimSuffix(strings.Repeat("|---\t", len(row)), "\t"))
		}
	}
	return w.Flush()
}
