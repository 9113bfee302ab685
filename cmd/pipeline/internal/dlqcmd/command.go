package dlqcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/where"
	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
)

// Cmd is the verb dlq: what all that is done with dead letters has in
// common. Its commands are the verbs below it.
type Cmd struct {
	Look where.Flags `embed:""`
	Keys string      `name:"frame-key-file" type:"existingfile" placeholder:"FILE" group:"where" help:"File with the keys that authenticate the frames. Dead letters are not authenticated, so it is only of use to import and replay: with it they check what the stages have taken."`

	List    dlqListCmd    `cmd:"" help:"List dead letters, the oldest first."`
	Show    dlqShowCmd    `cmd:"" help:"Show everything about one dead letter, with its value."`
	Replay  dlqReplayCmd  `cmd:"" help:"Send messages back to the stage that failed. Each takes effect exactly once; its dead letter is deleted after that."`
	Discard dlqDiscardCmd `cmd:"" help:"Delete dead letters for good."`
	Export  dlqExportCmd  `cmd:"" help:"Write dead letters as JSON lines, for import. They are not removed."`
	Import  dlqImportCmd  `cmd:"" help:"Read back what export wrote. Dead letters that are there already are not stored again."`
	Watch   dlqWatchCmd   `cmd:"" help:"Show new dead letters as they arrive, until interrupted."`
}

// dlqAccess is how a command gets at the dead letters.
type dlqAccess struct {
	*app.Invocation
	look   *where.Flags
	config engine.Config
}

// do runs what a command does. The first signal ends it.
func (c *Cmd) do(a *app.Invocation, what string, fn func(context.Context, *dlqAccess) error) error {
	config, err := where.Keys{Keys: c.Keys}.Add(c.Look.Config(a))
	if err != nil {
		return err
	}
	access := &dlqAccess{Invocation: a, look: &c.Look, config: config}
	ctx, release := a.Interruptible(func() {})
	defer release()
	err = fn(ctx, access)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = fmt.Errorf("interrupted: %w", err)
	}
	if err := c.Look.NATS.Blame(err); err != nil {
		return fmt.Errorf("dlq %s: %w", what, err)
	}
	return nil
}

// opening opens the dead letters of a directory, to look at them or to change them.
type opening func(*inspect.Inspector, context.Context) (*dlq.Queue, bool, error)

// with calls fn with the letters, to change them: of the directory, or of the
// process that has locked it, or of an external server when there is no directory.
func (d *dlqAccess) with(ctx context.Context, fn func(letterStore) error) error {
	return d.open(ctx, (*inspect.Inspector).DeadLetters, fn)
}

// read calls fn with the letters to look at, which leaves nothing behind.
func (d *dlqAccess) read(ctx context.Context, fn func(letterStore) error) error {
	return d.open(ctx, (*inspect.Inspector).ReadDeadLetters, fn)
}

func (d *dlqAccess) open(ctx context.Context, open opening, fn func(letterStore) error) error {
	inspect := func() error {
		err := d.withInspector(ctx, open, fn)
		if errors.Is(err, fs.ErrNotExist) && d.config.NATS.URL != "" && d.look.Place.Dir == "" {
			return d.withServer(ctx, d.look.Name(d.Program), fn)
		}
		return err
	}
	return where.UntilAnswered(ctx, inspect, func() (func() error, error) {
		run, away := openSocket(ctx, socket.Client{Dir: d.config.Dir, Log: d.config.Logger})
		return func() error {
			if err := d.look.IsFrom(run.Pipeline); err != nil {
				return err
			}
			return fn(run)
		}, away
	})
}

func (d *dlqAccess) withInspector(ctx context.Context, open opening, fn func(letterStore) error) error {
	return d.look.Inspect(ctx, d.config, func(opening context.Context, inspector *inspect.Inspector) error {
		queue, _, err := open(inspector, opening)
		if err != nil {
			return app.CouldNotLook(err)
		}
		return fn(&localLetters{pipeline: inspector.Pipeline(), state: isStopped, queue: queue, explain: d.Hints.Explain, stagesOf: inspector.Stages})
	})
}
