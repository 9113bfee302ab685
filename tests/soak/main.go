//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	Duration time.Duration `json:"duration"`
	Warmup   time.Duration `json:"warmup"` // after which it is measured
	Every    time.Duration `json:"every"`  // between two samples
	Kills    time.Duration `json:"kills"`  // between two kills of the second process
	Harm     time.Duration `json:"harm"`   // between two failures, on average
	Seed     uint64        `json:"seed"`
	Rate     uint64        `json:"rate"`
	Keys     uint64        `json:"keys"`
	Restarts int           `json:"restarts,omitempty"`
	dir      string
	json     string
	svg      string
	profile  string
	verbose  bool
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == childVerb {
		os.Exit(runChild(os.Args[2], os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	case !ok:
		os.Exit(1)
	}
}

func parse(arguments []string, usage io.Writer) (settings, error) {
	var s settings
	set := flag.NewFlagSet("soak", flag.ContinueOnError)
	set.SetOutput(usage)
	set.DurationVar(&s.Duration, "duration", 30*time.Minute, "of the soak")
	set.DurationVar(&s.Warmup, "warmup", 0, "how much of it comes before the measurement; default a fifth, and at most 5m")
	set.DurationVar(&s.Every, "every", 0, "between two samples; default a 300th of the duration, and 5s at most")
	set.DurationVar(&s.Kills, "kills", 0, "between two kills of the second process; default a 20th of the duration, and 20s at most")
	set.DurationVar(&s.Harm, "harm", 0, "between two failures of stages, on average; default a 20th of the duration, and 3s at most")
	set.Uint64Var(&s.Seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "of what fails when")
	set.Uint64Var(&s.Rate, "rate", 20_000, "messages a second, of each pipeline")
	set.Uint64Var(&s.Keys, "keys", 100_000, "`number` of keys")
	set.IntVar(&s.Restarts, "restarts", 0, "kill a pipeline with that many keys so often, and measure its restarts instead")
	set.StringVar(&s.dir, "dir", "", "`directory` to work in; default a temporary one")
	set.StringVar(&s.json, "json", "", "`file` for the report, with every sample")
	set.StringVar(&s.svg, "svg", "", "`directory` for a drawing of the samples")
	set.StringVar(&s.profile, "cpuprofile", "", "with -restarts: `file` for the CPU profiles of the starts; each gets its number at the end")
	set.BoolVar(&s.verbose, "v", false, "say everything that the children log")
	if err := set.Parse(arguments); err != nil {
		return s, err
	}
	if set.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q: there are only flags, see -help", set.Arg(0))
	}
	if s.Duration < time.Second || s.Rate < 1 || s.Keys < 1 || s.Restarts < 0 {
		return s, errors.New("-duration must be at least 1s, -rate and -keys at least 1, and -restarts not negative")
	}
	if s.Warmup == 0 {
		s.Warmup = min(s.Duration/5, 5*time.Minute)
	}
	if s.Every == 0 {
		s.Every = min(s.Duration/300, 5*time.Second)
	}
	if s.Kills == 0 {
		s.Kills = min(s.Duration/20, 20*time.Second)
	}
	if s.Harm <= 0 {
		s.Harm = min(s.Duration/20, 3*time.Second)
	}
	s.Every, s.Kills = max(s.Every, 100*time.Millisecond), max(s.Kills, time.Second)
	if s.Warmup < 0 || s.Warmup > s.Duration*9/10 {
		return s, errors.New("-warmup must leave a tenth of -duration")
	}
	return s, nil
}

// command runs the command; ok says that everything is as it should be.
func command(ctx context.Context, arguments []string, out, progress io.Writer) (ok bool, err error) {
	s, err := parse(arguments, progress)
	if err != nil {
		return false, err
	}
	work, err := os.MkdirTemp(s.dir, "penstock-soak-")
	if err != nil {
		return false, fmt.Errorf("create a directory to work in: %w", err)
	}
	defer os.RemoveAll(work)
	r := report{Settings: s, Facts: machine(work)}
	if s.Restarts > 0 {
		err = r.restart(ctx, work, progress)
	} else {
		err = r.soak(ctx, work, progress)
	}
	if err != nil {
		return false, err
	}
	if err := r.write(out); err != nil {
		return false, err
	}
	return r.ok(), nil
}
