package where

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/words"
	"penstock/engine"
	"penstock/engine/channel"
	"penstock/engine/inspect"
	"penstock/internal/hint"
)

// Bounds of looking into a directory.
const (
	// A pipeline that starts or ends has the directory and no socket.
	LockedFor   = 5 * time.Second
	LockedPause = 50 * time.Millisecond
	// What a server that has answered may take.
	inspectFor = 30 * time.Second
)

// Flags say into which pipeline to look, running or not.
type Flags struct {
	Pipeline string `placeholder:"NAME" group:"where" help:"The pipeline whose default directory is used, when --dir is not given. Default: ${first}."`
	Place    Place  `embed:""`
	NATS     NATS   `embed:""`

	Timeout time.Duration `name:"nats-timeout" default:"15s" placeholder:"TIME" group:"nats" help:"How long the server may take to answer. Default: 15s."`
}

// Config is the configuration for a look, and has the hints name the place.
func (f *Flags) Config(a *app.Invocation) (engine.Config, error) {
	dir, err := f.Place.Directory(f.Name(a.Program), a.Getenv)
	if err != nil {
		return engine.Config{}, err
	}
	if err := f.checkName(a.Program, dir); err != nil {
		return engine.Config{}, err
	}
	nats, err := f.NATS.Config(a.Getenv)
	if nats.ConnectTimeout = f.Timeout; err == nil && f.Timeout <= 0 {
		err = flags.Usage("--nats-timeout: %v is not a time above 0", f.Timeout)
	}
	config := engine.Config{Dir: dir, NATS: nats}
	a.Hints.Where, a.Hints.Pipeline = words.Where(config), f.Pipeline
	config.Logger = a.Hints.Log(slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	return config, err
}

// Keys say how frames are verified.
type Keys struct {
	Keys string `name:"frame-key-file" type:"existingfile" placeholder:"FILE" group:"where" help:"File with the keys that authenticate the frames, the same as for run. Authenticated frames cannot be read without it."`
}

// Add puts the keys into a configuration.
func (f Keys) Add(config engine.Config, err error) (engine.Config, error) {
	if err == nil && f.Keys != "" {
		config.FrameKeys, err = channel.ReadKeys(f.Keys)
	}
	return config, err
}

// Hint is the flag for another command, with a space before it.
func (f Keys) Hint() string {
	if f.Keys == "" {
		return ""
	}
	return " --frame-key-file " + hint.Word(f.Keys)
}

// Question is one that a directory can answer, or the process that has locked
// it.
type Question struct {
	Stopped func(ctx context.Context, i *inspect.Inspector) error
	Ask     func(ctx context.Context, c socket.Client) (*socket.Answer, error)
	Take    func(*socket.Answer) error // what ask got
}

// Look answers a question from the directory, or through the process that has locked it.
func (f *Flags) Look(ctx context.Context, config engine.Config, q Question) error {
	inspect := func() error { return f.Inspect(ctx, config, q.Stopped) }
	return UntilAnswered(ctx, inspect, func() (func() error, error) {
		answer, away := q.Ask(ctx, socket.Client{Dir: config.Dir, Log: config.Logger})
		return func() error {
			defer answer.Close()
			if err := f.IsFrom(answer.Pipeline); err != nil {
				return err
			}
			return q.Take(answer)
		}, away
	})
}

// UntilAnswered looks into a directory, or while a process has locked it asks
// that one and uses what it answers. A pipeline that starts or ends does
// neither, and is waited for.
func UntilAnswered(ctx context.Context, inspect func() error, ask func() (use func() error, away error)) error {
	locked, cancel := context.WithTimeout(ctx, LockedFor)
	defer cancel()
	for {
		err := inspect()
		if !errors.Is(err, engine.ErrLocked) {
			return err
		}
		use, away := ask()
		if away == nil {
			return use()
		}
		if refused := (*socket.RefusedError)(nil); errors.As(away, &refused) {
			return away
		}
		if !errors.Is(away, socket.ErrNobody) {
			return app.CouldNotLook(WithHolder(away, err))
		}
		select {
		case <-time.After(LockedPause):
		case <-locked.Done():
			return app.CouldNotLook(fmt.Errorf("%w; and the process does not answer: %w", err, away))
		}
	}
}

// WithHolder adds which process has the directory to an error of one that was silent: locked names it.
func WithHolder(away, locked error) error {
	if !errors.Is(away, os.ErrDeadlineExceeded) {
		return away
	}
	return fmt.Errorf("%w; %w; if that process was suspended (state T in ps), kill -CONT lets it go on", away, locked)
}

// Bound ends a look at a server that has answered and does not go on.
func (f *Flags) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, f.Timeout+inspectFor)
}

// Inspect calls fn with the directory of a stopped pipeline.
func (f *Flags) Inspect(ctx context.Context, config engine.Config, fn func(context.Context, *inspect.Inspector) error) (err error) {
	opening, cancel := f.Bound(ctx)
	defer cancel()
	inspector, err := inspect.Open(opening, config.ToInspect())
	if errors.Is(err, fs.ErrNotExist) {
		return NotThere(config.Dir)
	}
	if err != nil {
		return app.CouldNotLook(err)
	}
	defer func() { err = errors.Join(err, inspector.Close()) }()
	if err := f.IsFrom(inspector.Pipeline()); err != nil {
		return err
	}
	if err = fn(opening, inspector); isBlind(err) {
		err = app.CouldNotLook(err)
	}
	return err
}

// isBlind says that what was found first when it was read cannot be looked at.
func isBlind(err error) bool {
	return slices.ContainsFunc([]error{engine.ErrFrameKey, engine.ErrNewerVersion, engine.ErrLocked, engine.ErrElsewhere},
		func(kind error) bool { return errors.Is(err, kind) })
}

// Name is the pipeline's, as far as the command line says.
func (f *Flags) Name(p app.Program) string {
	return cmp.Or(f.Pipeline, p.Pipelines()[0])
}

// IsFrom refuses a pipeline other than the one that was asked for.
func (f *Flags) IsFrom(pipeline string) error {
	if f.Pipeline != "" && f.Pipeline != pipeline {
		return app.CouldNotLook(fmt.Errorf("the directory belongs to the pipeline %s, not to %s: name another one with --dir", pipeline, f.Pipeline))
	}
	return nil
}
