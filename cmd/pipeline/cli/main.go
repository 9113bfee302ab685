package cli

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/guard"
)

// system is what the command needs of the world around it.
type system struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	signals        <-chan os.Signal
	exit           func(code int)                       // ends the process at once
	terminal       func() (width, height int, yes bool) // is stderr one?
	link           *guard.Link                          // to the guard; nil: there is none
	stdin          io.Reader                            // nil: nothing
	stdinTerminal  func() bool                          // nil: no
	stdoutTerminal func() (width, height int, yes bool) // nil: no
	called         bool                                 // by a function, in a process that is not the command's
}

// app is one invocation.
type app struct {
	system
	program *App
	args    []string     // of the command line
	log     *slog.Logger // how errors are told; nil: as plain text
	hints   hints
}

// begin begins an invocation.
func begin(p *App, args []string, s system) *app {
	return &app{system: s, program: p, args: args, hints: hints{program: p.Name}}
}

// grammar is the command line.
type grammar struct {
	Run     runCmd             `cmd:"" help:"Run a pipeline until it is complete or a signal stops it. Without a name: ${first}."`
	State   stateCmd           `cmd:"" help:"Show the committed state of a stage as JSON, of a running or of a stopped pipeline."`
	Events  eventsCmd          `cmd:"" help:"Show what happened to the stages, newest last: starts, faults, restarts; of a running or of a stopped pipeline."`
	DLQ     dlqCmd             `cmd:"" name:"dlq" help:"List, show, replay and discard the messages that failed, of a running or of a stopped pipeline."`
	Graph   graphCmd           `cmd:"" help:"Write the graph of a pipeline, without running it, as DOT or SVG: ${program} graph ${first} --format svg > graph.svg."`
	Replay  replayTelemetryCmd `cmd:"" name:"replay-telemetry" help:"Show what was recorded of a run in the dashboard, as it was."`
	Doctor  doctorCmd          `cmd:"" help:"Look for what is wrong with a data directory, and say which command mends it."`
	Repair  repairCmd          `cmd:"" help:"Mend a data directory as far as that is possible without guessing, after a copy of it was made."`
	Rights  permissionsCmd     `cmd:"" name:"nats-permissions" help:"Print the configuration of a NATS server that gives a user the rights that a pipeline needs, and no others."`
	Version versionCmd         `cmd:"" help:"Show the versions of this program, of Go and of the embedded NATS server."`
}

// Main is the whole main function of a program: it parses the command line, does
// what the verb says, and ends the process with its exit code. declare adds the
// pipelines. What is wrong with the declaration panics.
func Main(declare func(*App)) {
	p := newProgram(declare)
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
	link, err := guard.OpenLink()
	if err != nil {
		os.Exit(begin(p, nil, s).end(err))
	}
	if link != nil {
		s.link, s.signals, s.exit = link, link.Signals(signals), link.Exit
	}
	s.exit(p.run(os.Args[1:], s))
}

// Run is Main without an end of the process: it returns the exit code. It is for tests of
// a program. There are no signals, no standard input and no terminal, and --guard is
// refused, which needs a process of its own. args are those behind the program's name.
func Run(declare func(*App), args []string, stdout, stderr io.Writer) int {
	return newProgram(declare).run(args, system{
		stdout:   stdout,
		stderr:   stderr,
		getenv:   os.Getenv,
		exit:     func(int) {}, // there is no second signal
		terminal: func() (int, int, bool) { return 0, 0, false },
		called:   true,
	})
}

func newProgram(declare func(*App)) *App {
	p := &App{Name: programName(os.Args[0]), Description: "Durable, stateful, self-healing pipelines over NATS."}
	declare(p)
	return p
}

// run is the command: it returns the exit code.
func (p *App) run(args []string, s system) int {
	a := begin(p, args, s)
	helped := false
	var g grammar
	parser, err := p.parser(&g,
		kong.Writers(s.stdout, s.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err) // a mistake in the grammar, or in the flags of a pipeline
	}
	line, err := parser.Parse(args)
	if helped {
		return exitOK
	}
	if err != nil {
		var parsing *kong.ParseError
		if errors.As(err, &parsing) {
			err = &flags.UsageError{Err: err, Help: a.helpFor(parsing.Context)}
		}
		return a.end(err)
	}
	if name, command, ok := chosen(line); ok {
		return a.end(g.Run.runChosen(a, name, command))
	}
	return a.end(line.Run(a))
}

// helpFor is the command that tells how to do it right.
func (a *app) helpFor(line *kong.Context) string {
	if line == nil || line.Command() == "" {
		return a.name() + " --help"
	}
	return line.Selected().FullPath() + " --help"
}

// name is what the program is called.
func (a *app) name() string { return a.program.Name }
