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
	"penstock/engine/channel"
	"penstock/engine/observe"
)

// Cmd is the verb run: what all pipelines have in common. Its commands are
// the pipelines.
type Cmd struct {
	Place   where.Place    `embed:""`
	Fresh   bool           `group:"where" help:"Start over: delete all data of this pipeline in the directory and the channels, dead letters included."`
	Discard bool           `name:"discard-letters" group:"where" help:"If the last run is complete, delete the dead letters it left. Default: refuse to start."`
	NATS    where.NATS     `embed:""`
	Sync    syncing        `default:"always" placeholder:"always|TIME" group:"how" help:"When the embedded server syncs writes to disk: always, before they count, or at this interval. With an interval a power cut may lose the work of about twice that time; a killed process loses nothing in both cases. With --nats that server decides. Default: always."`
	Drain   flags.Duration `default:"30s" placeholder:"TIME" group:"how" help:"How long the stages may take to finish their work after a signal. Default: 30s. A number without a unit is in milliseconds, here and elsewhere."`
	Keep    keepFlags      `embed:""`
	Wide    partitions     `name:"partitions" placeholder:"STAGE=N" group:"how" help:"Run a stage in N partitions, each on a core of its own as far as there are some; 0 is one for each core. For stages that read by key, and for stages without a state. May be given more than once. A run that goes on keeps the number of the run before."`
	Free    flags.Size     `name:"min-free" placeholder:"SIZE" group:"how" help:"Free space to keep on the disk of the data directory. With less the sources wait and the rest drains; with less than half of it all stages wait. They resume by themselves. Bytes, or with a unit such as 512MiB. Default: an eighth of the disk, at most 1GiB."`
	Away    string         `name:"while-unavailable" enum:"degraded,not-ready" default:"degraded" placeholder:"WHAT" group:"how" help:"What /readyz answers while a stage waits for an unavailable service that its function calls: degraded or not-ready. Default: degraded, which counts as ready."`
	Keys    string         `name:"frame-key-file" placeholder:"FILE" group:"how" help:"Authenticate the frames in the channels with the keys in this file, one per line, of 16 bytes or more. The first key is used to write, all of them to read. Only you may read the file (chmod 600). Later starts need one of these keys."`
	Report  flags.Path     `placeholder:"FILE" group:"how" help:"At the end, also of a failed run, write a JSON report of what each stage did to this file; - is standard output."`
	Log     app.LogFlags   `embed:""`
	Guard   GuardFlags     `embed:""`
	Show    showcmd.Flags  `embed:""`

	Pipelines kong.Plugins `embed:""` // of the program
}

// session is one run of a pipeline by the command.
type session struct {
	*app.Invocation
	pipeline   *engine.Pipeline
	config     engine.Config
	arguments  arguments
	report     string
	endAnswers func() // of the control socket; nil before the run is ready
	show       showcmd.Flags
	ready      bool   // every stage was open
	letters    uint64 // dead letters at the end
}

// Execute runs a pipeline, with what belongs to it: signals, control socket,
// progress and report.
func (c *Cmd) Execute(a *app.Invocation, p *engine.Pipeline, args []flags.Argument) error {
	config, err := c.config(a, p.Name())
	if err != nil {
		return err
	}
	if config.Arguments, err = arguments(args).typed(); err != nil {
		return err
	}
	if err := c.Wide.divide(p); err != nil {
		return err
	}
	if err := checkReport(string(c.Report)); err != nil {
		return err
	}
	a.Hints.In = words.In(config)
	a.Hints.Pipeline, a.Hints.Where, a.Hints.Keys = p.Name(), words.Where(config), where.Keys{Keys: c.Keys}.Hint()
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
	s.config.Logger, s.config.Words = a.Log, a.Hints.Words
	if missing := c.NATS.Unsaid(a.Getenv); missing != "" {
		a.Log.Info("the commands that this log names leave out " + missing)
	}
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
		keys, err = channel.ReadKeys(c.Keys)
	}
	return engine.Config{
		Dir:            dir,
		Fresh:          c.Fresh && !a.Pipe.Resumes(),
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
		s.Log.Info("stopping gracefully; a second signal stops at once and loses nothing either")
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
	status := s.pipeline.Status()
	resumed := handledBefore(status) > 0
	if err := s.arguments.check(s.config.Dir, resumed); err != nil {
		return err
	}
	s.ready = true
	s.Pipe.SayHandled(handledBefore(status))
	s.Pipe.Say(guard.SaidReady)
	if status.Reopened {
		s.Log.Info("the last run is complete; handling what it left", "pipeline", s.pipeline.Name(), "dir", s.config.Dir)
	} else if resumed {
		s.Log.Info("resuming the run that was interrupted", "pipeline", s.pipeline.Name(), "dir", s.config.Dir)
	} else {
		s.Log.Info("running", "pipeline", s.pipeline.Name(), "dir", s.config.Dir)
	}
	s.endAnswers = socket.Offer(s.config.Dir, s.pipeline, s.Log, s.Hints)
	return nil
}

func (s *session) onStop() {
	s.countLetters()
	if s.pipeline.Status().Completed {
		s.Pipe.Say(guard.SaidComplete)
	}
	if s.endAnswers != nil {
		s.endAnswers()
	}
}

// handledBefore is how much a run that is about to begin has committed already, in messages: it only grows, and none
// means that it does not go on with another.
func handledBefore(status observe.Status) (n uint64) {
	for _, stage := range status.Stages {
		n += stage.In + stage.Out + stage.Dropped + stage.DeadLetters
	}
	return n
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
		s.Log.Warn("messages were dropped or lines skipped, as the stages are configured to do", "count", dropped)
	}
	if s.letters > 0 {
		s.Log.Warn("dead letters are kept", "count", s.letters, "list", s.Name()+" dlq list"+s.Hints.Where)
	}
	switch {
	case err != nil:
	case status.Completed:
		s.Log.Info("complete", "pipeline", status.Pipeline, "elapsed", elapsed)
	case !s.ready:
		s.Log.Info("stopped before the run began", "pipeline", s.pipeline.Name(), "elapsed", elapsed)
	default:
		s.Log.Info("stopped; the next run resumes from here", "pipeline", status.Pipeline, "elapsed", elapsed)
	}
	return err
}

func droppedIn(status observe.Status) (n uint64) {
	for _, stage := range status.Stages {
		n += stage.Dropped
	}
	return n
}

// summarise logs a line a stage, where no progress was drawn. Its counts are those of the status.
func (s *session) summarise() {
	if !s.ready {
		return
	}
	for _, stage := range s.pipeline.Status().Stages {
		told := []any{"stage", stage.Name}
		for _, c := range observe.StageCounters() {
			if n := c.Total(&stage.StageCounts); n > 0 || !c.Rare {
				told = append(told, c.Key, n)
			}
		}
		s.Log.Info("summary of all runs since the fresh start", append(told, "lag", stage.Lag, "busy", stage.Busy.Round(time.Millisecond), "ended", stage.Ended)...)
	}
}
