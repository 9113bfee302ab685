package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// system is what the command needs of the world around it.
type system struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	signals        <-chan os.Signal
	exit           func(code int)                       // ends the process at once
	terminal       func() (width, height int, yes bool) // is stderr one?
}

// app is one invocation.
type app struct {
	system
	log *slog.Logger // how errors are told; nil: as plain text
}

// grammar is the command line.
type grammar struct {
	Run     runCmd     `cmd:"" help:"Run a pipeline until it is complete or a signal stops it. Without a name: fizzbuzz."`
	State   stateCmd   `cmd:"" help:"Show the committed state of a stage as JSON, of a running or of a stopped pipeline."`
	Events  eventsCmd  `cmd:"" help:"Show what happened to the stages, newest last: starts, faults, restarts; of a running or of a stopped pipeline."`
	Version versionCmd `cmd:"" help:"Show the versions of this program, of Go and of the embedded NATS server."`
}

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(os.Args[1:], system{
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		getenv:   os.Getenv,
		signals:  signals,
		exit:     os.Exit,
		terminal: terminalOf(os.Stderr, os.Getenv("TERM")),
	}))
}

// run is the command: it returns the exit code.
func run(args []string, s system) int {
	a := &app{system: s}
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
