//go:build unix

package cli

import (
	"flag"
	"os"
	"os/signal"
	"syscall"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/guard"
	"penstock/tests/crash/poison"
)

// The tests of crashes run this binary as the command with their own pipeline,
// under a guard.
func init() {
	if os.Getenv("PENSTOCK_TEST_POISON") != "" {
		runPoison()
	}
}

// runPoison is `pipeline run --guard` for the pipeline poison.
func runPoison() {
	var c poison.Config
	set := flag.NewFlagSet("poison", flag.ExitOnError)
	dir := set.String("dir", "", "")
	killers := set.String("killers", "", "")
	set.StringVar(&c.Output, "output", "", "")
	set.StringVar(&c.Mended, "mended", "", "")
	set.Uint64Var(&c.Numbers, "numbers", 0, "")
	set.Uint64Var(&c.Room, "room", 0, "")
	set.DurationVar(&c.Pace, "pace", 0, "")
	set.DurationVar(&c.Hesitation, "hesitation", 0, "")
	set.IntVar(&c.Attempts, "attempts", 0, "")
	set.DurationVar(&c.Slow, "slow", 0, "")
	_ = set.String("url", "", "")
	report := set.String("report", "", "")
	_ = set.Parse(os.Args[1:])

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	s := app.System{
		Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Signals: signals, Exit: os.Exit,
		Terminal: func() (int, int, bool) { return 0, 0, false },
	}
	pipe, err := guard.OpenPipe()
	if err != nil {
		os.Exit(newApp().begin(nil, s).End(err))
	}
	if pipe != nil {
		s.Pipe, s.Signals, s.Exit = pipe, pipe.Signals(signals), pipe.Exit
	}
	program := newApp()
	a := program.begin(os.Args[1:], s)
	c.Killers, err = poison.ParseKillers(*killers)
	if err != nil {
		os.Exit(a.End(err))
	}
	var line grammar
	parser, err := program.parser(&line)
	if err == nil {
		_, err = parser.Parse([]string{"run", "--guard", "--log-level=debug", "--dir", *dir, "--report", *report})
	}
	if err != nil {
		os.Exit(a.End(err))
	}
	s.Exit(a.End(line.Run.Execute(a, poison.New(c), nil)))
}
