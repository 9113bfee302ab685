package runcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/guard"
	"penstock/cmd/pipeline/internal/render"
	"penstock/cmd/pipeline/internal/showcmd"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/where"
	"penstock/cmd/pipeline/internal/words"
	"penstock/engine"
)

// Cmd is the verb run: what all pipelines have in common. Its commands are
// the pipelines.
type Cmd struct {
	Place   where.Place    `embed:""`
	Fresh   bool           `group:"where" help:"Start over: delete what the directory and the channels hold of this pipeline, dead letters included."`
	Discard bool           `name:"discard-letters" group:"where" help:"When the last run is complete: delete the dead letters it left. Default: such a run is refused."`
	NATS    where.NATS     `embed:""`
	Sync    syncing        `default:"always" placeholder:"always|TIME" group:"how" help:"When the server inside the process brings writes to the disk: always, before they count, or at this interval. With an interval a power cut may lose what was done in that time (a killed process loses nothing either way). With --nats that server decides. Default: always."`
	Drain   flags.Duration `default:"30s" placeholder:"TIME" group:"how" help:"How long a signal waits for the stages to finish what is under way. Default: 30s. A number without unit is in milliseconds, here and elsewhere."`
	Keep    keepFlags      `embed:""`
	Free    flags.Size     `name:"min-free" placeholder:"SIZE" group:"how" help:"How much has to be free on the disk of the data directory: with less the sources wait and the rest drains, with less than half of it all stages wait; all goes on by itself. Bytes, or with a unit such as 512MiB. Default: an eighth of the disk, and 1GiB at most."`
	Away    string         `name:"while-unavailable" enum:"degraded,not-ready" default:"degraded" placeholder:"WHAT" group:"how" help:"What /readyz says while a stage waits for something that its function calls and cannot reach: degraded, or not-ready. Default: degraded, which is ready."`
	Keys    string         `name:"frame-key-file" placeholder:"FILE" group:"how" help:"Authenticate the frames in the channels with the keys in this file, one a line, of 16 bytes or more: the first one writes, all are good for reading. Nobody else may read the file (chmod 600). From then on a start needs a key of theirs."`
	Report  flags.Path     `placeholder:"FILE" group:"how" help:"Write what each stage did to this file as JSON at the end, also when the run failed; - is standard output."`
	Log     app.LogFlags   `embed:""`
	Guard   GuardFlags     `embed:""`
	Show    showcmd.Flags  `embed:""`

	Pipelines kong.Plugins `embed:""` // of the program
}

// session is one run of a pipeline by the command.
type session struct {
	*app.Invocation
	pipeline  *engine.Pipeline
	config    engine.Config
	arguments arguments
	report    string
	control   *socket.Server
	show      showcmd.Flags
	ready     bool   // every stage was open
	letters   uint64 // dead letters at the end
}

// Execute runs a pipeline, with what belongs to it: signals, control socket,
// progress and report.
func (c *Cmd) Execute(a *app.Invocation, p *engine.Pipeline, args []flags.Argument) error {
	config, err := c.config(a, p.Name())
	if err != nil {
		return err
	}
	if err := checkReport(string(c.Report)); err != nil {
		return err
	}
	a.Hints.Where, a.Hints.Keys = words.Where(config), where.Keys{Keys: c.Keys}.Hint()
	if c.Guard.Guard && a.Called {
		return flags.Usage("--guard needs a process of its own: leave it out of a call of Run")
	}
	if c.Guard.applies(a) {
		a.Log = guardLog(c.Log, a)
		return c.Guard.serve(a)
	}
	s := &session{Invocation: a, pipeline: p, config: config, arguments: args, report: string(c.Report), show: c.Show}
	a.Log = c.Log.Logger(a.Stderr, app.Plain)
	conclude := s.summarise
	if _, _, terminal := a.Terminal(); terminal && c.Log.LogFormat == "text" {
		screen := &render.Screen{Out: a.Stderr}
		a.Log = c.Log.Logger(screen, app.StyleOf(a.Getenv("NO_COLOR")))
		conclude = watch(screen, p.Status, a.Terminal)
	}
	a.Log = a.Hints.Log(a.Log)
	s.config.Logger = a.Log
	err = c.NATS.Blame(s.run())
	conclude()
	return s.finish(err)
}

func (c *Cmd) config(a *app.Invocation, pipeline string) (engine.Config, error) {
	dir, err := c.Place.Directory(pipeline, a.Getenv)
	if err != nil {
		return engine.Config{}, err
	}
	nats, err := c.NATS.Config(a.Getenv)
	var keys [][]byte
	if err == nil && c.Keys != "" {
		keys, err = engine.ReadFrameKeys(c.Keys)
	}
	return engine.Config{
		Dir:            dir,
		Fresh:          c.Fresh && !a.Link.Resumes(),
		DiscardLetters: c.Discard,
		NATS:           nats,
		Sync:           time.Duration(c.Sync),
		DrainTimeout:   time.Duration(c.Drain),

		DeadLetterCount: int64(c.Keep.DeadLetters),
		DeadLetterBytes: int64(c.Keep.DeadLetterBytes),
		DeadLetterAge:   time.Duration(c.Keep.DeadLetterAge),
		MinFree:         int64(c.Free),

		UnavailableReadiness: strings.ReplaceAll(c.Away, "-", " "),
		FrameKeys:            keys,
	}, err
}

// run returns nil when the pipeline is complete, and when a signal stopped it.
func (s *session) run() error {
	ctx, release := s.Interruptible(func() {
		s.Log.Info("stopping in an orderly way; a second signal stops at once, and loses nothing either")
	})
	defer release()
	ctx, drain := context.WithCancel(ctx)
	defer drain()
	stop, err := s.show.Serve(s.Invocation, s.pipeline, drain)
	if err != nil {
		return err
	}
	if stop != nil {
		defer stop()
	}
	defer s.trace()()
	s.config.OnReady, s.config.OnStop = s.onReady, s.onStop
	err = s.pipeline.Run(ctx, s.config)
	if !s.ready && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", s.pipeline.Name(), err)
	}
	return nil
}

func (s *session) onReady() error {
	resumed := hasProgress(s.pipeline.Status())
	if err := s.arguments.check(s.config.Dir, resumed); err != nil {
		return err
	}
	s.ready = true
	s.Link.Say(guard.SaidReady)
	if resumed {
		s.Log.Info("resuming the run that was interrupted", "pipeline", s.pipeline.Name(), "dir", s.config.Dir)
	} else {
		s.Log.Info("running", "pipeline", s.pipeline.Name(), "dir", s.config.Dir)
	}
	var err error
	if s.control, err = socket.Serve(s.config.Dir, s.pipeline, s.Log, s.Hints); err != nil {
		s.Log.Warn("no control socket: this run cannot be asked by state, dlq, events and doctor until it has ended", "error", err)
	}
	return nil
}

func (s *session) onStop() {
	s.countLetters()
	if s.pipeline.Status().Completed {
		s.Link.Say(guard.SaidComplete)
	}
	if s.control != nil {
		s.control.Close()
	}
}

// hasProgress says whether a run that is about to begin goes on with another.
func hasProgress(status engine.Status) bool {
	for _, stage := range status.Stages {
		if stage.In+stage.Out > 0 {
			return true
		}
	}
	return false
}

// countLetters sees how many dead letters the run leaves behind.
func (s *session) countLetters() {
	ctx, cancel := context.WithTimeout(context.Background(), countFor)
	defer cancel()
	if queue, err := s.pipeline.DeadLetters(); err == nil {
		s.letters, _ = queue.Count(ctx) // it is only for people
	}
}

// countFor bounds how long a broker that is away may hold up the end.
const countFor = time.Second

// finish writes the report and tells how it ended.
func (s *session) finish(err error) error {
	status := s.pipeline.Status()
	if reportErr := s.writeReport(status, err); reportErr != nil {
		err = errors.Join(err, reportErr)
	}
	elapsed := status.Elapsed.Round(time.Millisecond)
	if dropped := droppedIn(status); dropped > 0 {
		s.Log.Warn("messages were dropped, or lines left out, as the stages were told to", "count", dropped)
	}
	if s.letters > 0 {
		s.Log.Warn("dead letters are kept", "count", s.letters, "list", s.Name()+" dlq list"+s.Hints.Where)
	}
	switch {
	case err != nil:
	case status.Completed:
		s.Log.Info("complete", "pipeline", status.Pipeline, "elapsed", elapsed)
	default:
		s.Log.Info("stopped; the next run goes on from here", "pipeline", status.Pipeline, "elapsed", elapsed)
	}
	return err
}

func droppedIn(status engine.Status) (n uint64) {
	for _, stage := range status.Stages {
		n += stage.Dropped
	}
	return n
}

// summarise logs a line a stage, where no progress was drawn.
func (s *session) summarise() {
	if !s.ready {
		return
	}
	for _, stage := range s.pipeline.Status().Stages {
		s.Log.Info("summary", "stage", stage.Name, "in", stage.In, "out", stage.Out, "lag", stage.Lag,
			"commits", stage.Commits, "starts", stage.Starts, "restarts", stage.Restarts, "panics", stage.Panics,
			"errors", stage.Errors, "dead_letters", stage.DeadLetters, "dropped", stage.Dropped, "busy", stage.Busy.Round(time.Millisecond), "ended", stage.Ended)
	}
}
