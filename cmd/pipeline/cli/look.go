package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"penstock/engine"
	"penstock/internal/hint"
)

// Bounds of looking into a directory.
const (
	// A pipeline that starts or ends has the directory and no socket.
	lockedFor   = 5 * time.Second
	lockedPause = 50 * time.Millisecond
	// An external server may be away.
	inspectFor = 30 * time.Second
)

// lookFlags say into which pipeline to look, running or not.
type lookFlags struct {
	Pipeline string    `placeholder:"NAME" group:"where" help:"The pipeline, when --dir does not say. Default: ${first}."`
	Place    place     `embed:""`
	NATS     natsFlags `embed:""`
}

func (f *lookFlags) config(a *app) (engine.Config, error) {
	dir, err := f.Place.directory(f.name(a.program), a.getenv)
	if err != nil {
		return engine.Config{}, err
	}
	nats, err := f.NATS.config(a.getenv)
	config := engine.Config{Dir: dir, NATS: nats}
	a.hints.where = where(config)
	config.Logger = a.hints.log(slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	return config, err
}

// keyFlags say how frames are verified.
type keyFlags struct {
	Keys string `name:"frame-key-file" type:"existingfile" placeholder:"FILE" group:"where" help:"The keys that the frames are authenticated with, as run has them. Authenticated frames are not read without."`
}

// add puts the keys into a configuration.
func (f keyFlags) add(config engine.Config, err error) (engine.Config, error) {
	if err == nil && f.Keys != "" {
		config.FrameKeys, err = engine.ReadFrameKeys(f.Keys)
	}
	return config, err
}

// hint is the flag for another command, with a space before it.
func (f keyFlags) hint() string {
	if f.Keys == "" {
		return ""
	}
	return " --frame-key-file " + hint.Word(f.Keys)
}

// question is one that a directory can answer, or the process that has locked
// it.
type question struct {
	stopped func(ctx context.Context, i *engine.Inspector) error
	ask     func(ctx context.Context, c controlClient) (*answer, error)
	take    func(*answer) error // what ask got
}

func (f *lookFlags) look(ctx context.Context, config engine.Config, q question) error {
	inspect := func() error { return f.inspect(ctx, config, q.stopped) }
	return untilAnswered(ctx, inspect, func() (func() error, error) {
		answer, away := q.ask(ctx, controlClient{dir: config.Dir, log: config.Logger})
		return func() error {
			defer answer.Close()
			if err := f.isFrom(answer.pipeline); err != nil {
				return err
			}
			return q.take(answer)
		}, away
	})
}

// untilAnswered looks into a directory, or while a process has locked it asks
// that one and uses what it answers. A pipeline that starts or ends does
// neither, and is waited for.
func untilAnswered(ctx context.Context, inspect func() error, ask func() (use func() error, away error)) error {
	locked, cancel := context.WithTimeout(ctx, lockedFor)
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
		if !errors.Is(away, errNobody) {
			return away
		}
		select {
		case <-time.After(lockedPause):
		case <-locked.Done():
			return fmt.Errorf("%w; and it does not answer: %w", err, away)
		}
	}
}

func (f *lookFlags) inspect(ctx context.Context, config engine.Config, fn func(context.Context, *engine.Inspector) error) (err error) {
	opening, cancel := context.WithTimeout(ctx, inspectFor)
	defer cancel()
	inspector, err := engine.Inspect(opening, config)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (nothing ran there yet; name another directory with --dir or --pipeline)", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inspector.Close()) }()
	if err := f.isFrom(inspector.Pipeline()); err != nil {
		return err
	}
	return fn(opening, inspector)
}

// name is the pipeline's, as far as the command line says.
func (f *lookFlags) name(program *App) string {
	return cmp.Or(f.Pipeline, program.names()[0])
}

func (f *lookFlags) isFrom(pipeline string) error {
	if f.Pipeline != "" && f.Pipeline != pipeline {
		return fmt.Errorf("the directory belongs to the pipeline %s, not to %s: name another with --dir", pipeline, f.Pipeline)
	}
	return nil
}
