//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && isChild(os.Args[1]) {
		runChild(os.Args[1], os.Args[2:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		code = 2
	}
	os.Exit(code)
}

// settings are the flags.
type settings struct {
	seed      uint64
	cycles    int
	cycle     int
	faults    string
	parallel  int
	ids       uint64
	dir       string
	json      string
	patience  time.Duration
	away      time.Duration
	duration  time.Duration
	verbose   bool
	keep      bool
	list      bool
	mutations bool
}

func parse(args []string, out io.Writer) (settings, error) {
	set := flag.NewFlagSet("chaos", flag.ContinueOnError)
	set.SetOutput(out)
	var s settings
	set.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "of all choices")
	set.IntVar(&s.cycles, "cycles", 60, "`number` of cycles; of mutations: at most so many for each rule")
	set.IntVar(&s.cycle, "cycle", -1, "only this `number`, of a campaign with the same seed and faults")
	set.StringVar(&s.faults, "faults", "all", "`list` of names, a pair as one+other; all; damage: of files; pairs; or mixed: each in turn, and pairs between")
	set.IntVar(&s.parallel, "parallel", max(2, runtime.NumCPU()), "`number` of cycles at once")
	set.Uint64Var(&s.ids, "ids", 900, "`number` of ids in each pipeline")
	set.StringVar(&s.dir, "dir", "", "`directory` to work in; default a temporary one")
	set.StringVar(&s.json, "json", "", "`file` for the report")
	set.DurationVar(&s.patience, "patience", time.Minute, "how long a pipeline may take")
	set.DurationVar(&s.away, "away", time.Second, "how long what goes away stays away")
	set.DurationVar(&s.duration, "duration", 0, "begin no cycle after this `time`; 0 is no limit")
	set.BoolVar(&s.verbose, "v", false, "say everything that the children say")
	set.BoolVar(&s.keep, "keep", false, "keep the directories of violated cycles")
	set.BoolVar(&s.list, "list", false, "list the faults")
	set.BoolVar(&s.mutations, "mutations", false, "take each rule of the protocol away and see whether it is noticed")
	if err := set.Parse(args); err != nil {
		return s, err
	}
	if set.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if s.cycles < 1 || s.parallel < 1 || s.ids < 1 {
		return s, fmt.Errorf("-cycles, -parallel and -ids must be at least 1")
	}
	return s, nil
}

// command runs the command and returns its exit code.
func command(ctx context.Context, args []string, out io.Writer) (int, error) {
	s, err := parse(args, os.Stderr)
	if err != nil {
		return 2, err
	}
	if s.list {
		listFaults(out)
		return 0, nil
	}
	c, err := newCampaign(s, out)
	if err != nil {
		return 2, err
	}
	defer c.close()
	if s.mutations {
		return c.mutations(ctx)
	}
	return c.run(ctx)
}
