package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// system is what the command needs of the world around it.
type system struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	signals        <-chan os.Signal
	exit           func(code int)                       // ends the process at once
	terminal       func() (width, height int, yes bool) // is stderr one?
	link           *link                                // to the guard; nil: there is none
	stdin          io.Reader                            // nil: nothing
	stdinTerminal  func() bool                          // nil: no
	stdoutTerminal func() (width, height int, yes bool) // nil: no
}

// app is one invocation.
type app struct {
	system
	args []string     // of the command line
	log  *slog.Logger // how errors are told; nil: as plain text
}

// grammar is the command line.
type grammar struct {
	Run     runCmd             `cmd:"" help:"Run a pipeline until it is complete or a signal stops it. Without a name: fizzbuzz."`
	State   stateCmd           `cmd:"" help:"Show the committed state of a stage as JSON, of a running or of a stopped pipeline."`
	Events  eventsCmd          `cmd:"" help:"Show what happened to the stages, newest last: starts, faults, restarts; of a running or of a stopped pipeline."`
	DLQ     dlqCmd             `cmd:"" name:"dlq" help:"List, show, replay and discard the messages that failed, of a running or of a stopped pipeline."`
	Graph   graphCmd           `cmd:"" help:"Write the graph of a pipeline, without running it, as DOT or SVG: pipeline graph fizzbuzz --format svg > graph.svg."`
	Replay  replayTelemetryCmd `cmd:"" name:"replay-telemetry" help:"Show what was recorded of a run in the dashboard, as it was."`
	Doctor  doctorCmd          `cmd:"" help:"Look for what is wrong with a data directory, and say which command mends it."`
	Repair  repairCmd          `cmd:"" help:"Mend a data directory as far as that is possible without guessing, after a copy of it was made."`
	Rights  permissionsCmd     `cmd:"" name:"nats-permissions" help:"Print the configuration of a NATS server that gives a user the rights that a pipeline needs, and no others."`
	Version versionCmd         `cmd:"" help:"Show the versions of this program, of Go and of the embedded NATS server."`
}

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	s := system{
		stdout:         os.Stdout,
		stderr:         os.Stderr,
		getenv:         os.Getenv,
		signals:        signals,
		exit:           os.Exit,
		terminal:       terminalOf(os.Stderr, os.Getenv("TERM")),
		stdin:          os.Stdin,
		stdinTerminal:  func() bool { return term.IsTerminal(int(os.Stdin.Fd())) },
		stdoutTerminal: terminalOf(os.Stdout, os.Getenv("TERM")),
	}
	link, err := openLink()
	if err != nil {
		os.Exit((&app{system: s}).end(err))
	}
	if link != nil {
		s.link, s.signals, s.exit = link, link.signals(signals), link.exit
	}
	s.exit(run(os.Args[1:], s))
}

// run is the command: it returns the exit code.
func run(args []string, s system) int {
	a := &app{system: s, args: args}
	helped := false
	parser, err := kong.New(&grammar{},
		kong.Name("pipeline"),
		kong.Description("Durable, stateful, self-healing pipelines over NATS."),
		kong.Writers(s.stdout, s.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups(groups),
	)
	if err != nil {
		panic(err) // a mistake in the grammar
	}
	line, err := parser.Parse(args)
	if helped {
		return exitOK
	}
	if err != nil {
		var parsing *kong.ParseError
		if errors.As(err, &parsing) {
			err = &usageError{err: err, help: helpFor(parsing.Context)}
		}
		return a.end(err)
	}
	return a.end(line.Run(a))
}

// helpFor is the command that tells how to do it right.
func helpFor(line *kong.Context) string {
	if line == nil || line.Command() == "" {
		return "pipeline --help"
	}
	return "pipeline " + line.Selected().FullPath()[len("pipeline "):] + " --help"
}
