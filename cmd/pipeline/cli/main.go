package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/dlqcmd"
	"penstock/cmd/pipeline/internal/doctorcmd"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/guard"
	"penstock/cmd/pipeline/internal/lookcmd"
	"penstock/cmd/pipeline/internal/runcmd"
	"penstock/cmd/pipeline/internal/showcmd"
)

// grammar is the command line.
type grammar struct {
	Run     runcmd.Cmd       `cmd:"" help:"Run a pipeline until it is complete or a signal stops it. The default pipeline is ${first}."`
	State   lookcmd.State    `cmd:"" help:"Show the committed state of a stage as JSON, of a running or of a stopped pipeline."`
	Events  lookcmd.Events   `cmd:"" help:"Show what happened to the stages (starts, faults, restarts), newest last, of a running or of a stopped pipeline."`
	DLQ     dlqcmd.Cmd       `cmd:"" name:"dlq" help:"List, show, replay and discard the messages that failed, of a running or of a stopped pipeline."`
	Graph   showcmd.Graph    `cmd:"" help:"Write the graph of a pipeline as DOT or SVG, without running it: ${program} graph ${first} --format svg > graph.svg."`
	Replay  showcmd.Replay   `cmd:"" name:"replay-telemetry" help:"Play a recording of a run back in the dashboard."`
	Doctor  doctorcmd.Doctor `cmd:"" help:"Check a data directory, and name the command that repairs what is wrong."`
	Repair  doctorcmd.Repair `cmd:"" help:"Copy a data directory, then repair it as far as that is possible without guessing."`
	Rights  permissionsCmd   `cmd:"" name:"nats-permissions" help:"Print a NATS server configuration that gives a user the permissions that a pipeline needs, and no others."`
	Version versionCmd       `cmd:"" help:"Show the versions of this program, of Go and of the embedded NATS server."`
}

// groups are the headings of the flags in the help.
var groups = []kong.Group{
	{Key: "where", Title: "Where"},
	{Key: "nats", Title: "NATS server (default: one inside the process)"},
	{Key: "how", Title: "How"},
	{Key: "telemetry", Title: "Telemetry"},
	{Key: "guard", Title: "Guard"},
	{Key: "which", Title: "Which dead letters"},
}

// Main is the whole main function of a program: it parses the command line, does
// what the verb says, and ends the process with its exit code. declare adds the
// pipelines. What is wrong with the declaration panics.
func Main(declare func(*App)) {
	p := newProgram(declare)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	s := app.System{
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		Getenv:         os.Getenv,
		Signals:        signals,
		Exit:           os.Exit,
		Terminal:       app.TerminalOf(os.Stderr, os.Getenv("TERM")),
		Stdin:          os.Stdin,
		StdinTerminal:  func() bool { return term.IsTerminal(int(os.Stdin.Fd())) },
		StdoutTerminal: app.TerminalOf(os.Stdout, os.Getenv("TERM")),
	}
	pipe, err := guard.OpenPipe()
	if err != nil {
		os.Exit(p.begin(nil, s).End(err))
	}
	if pipe != nil {
		s.Pipe, s.Signals, s.Exit = pipe, pipe.Signals(signals), pipe.Exit
	}
	s.Exit(p.run(os.Args[1:], s))
}

// Run is Main without an end of the process: it returns the exit code. It is for tests of
// a program. There are no signals, no standard input and no terminal, and --guard is
// refused, which needs a process of its own. args are those behind the program's name.
func Run(declare func(*App), args []string, stdout, stderr io.Writer) int {
	return newProgram(declare).run(args, app.System{
		Stdout:   stdout,
		Stderr:   stderr,
		Getenv:   os.Getenv,
		Exit:     func(int) {}, // there is no second signal
		Terminal: func() (int, int, bool) { return 0, 0, false },
		Called:   true,
	})
}

func newProgram(declare func(*App)) *App {
	p := &App{Name: programName(os.Args[0]), Description: "Durable, stateful, self-healing pipelines over NATS."}
	declare(p)
	return p
}

// run is the command: it returns the exit code.
func (p *App) run(args []string, s app.System) int {
	a := p.begin(args, s)
	helped := false
	var g grammar
	parser, err := p.parser(&g,
		kong.Writers(s.Stdout, s.Stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err) // a mistake in the grammar, or in the flags of a pipeline
	}
	line, err := parser.Parse(args)
	if helped {
		return app.ExitOK
	}
	if err != nil {
		var parsing *kong.ParseError
		if errors.As(err, &parsing) {
			err = &flags.UsageError{Err: p.withPipelines(err, args), Help: helpFor(a, parsing.Context)}
		}
		return a.End(err)
	}
	if name, command, ok := chosen(line); ok {
		return a.End(runChosen(&g.Run, a, name, command))
	}
	a.OutliveReader()
	return a.End(line.Run(a))
}

// withPipelines adds which pipelines there are to the error about a run of another one.
func (p *App) withPipelines(err error, args []string) error {
	names := p.names()
	if len(args) < 2 || args[0] != "run" || slices.ContainsFunc(args, func(arg string) bool { return slices.Contains(names, arg) }) ||
		!strings.HasPrefix(err.Error(), "unexpected argument") {
		return err
	}
	return fmt.Errorf("%w: the pipelines are %s", err, strings.Join(names, ", "))
}

// helpFor is the command that tells how to do it right.
func helpFor(a *app.Invocation, line *kong.Context) string {
	if line == nil || line.Command() == "" {
		return a.Name() + " --help"
	}
	return line.Selected().FullPath() + " --help"
}
