package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"penstock/engine"
)

// Bounds of looking into a directory.
const (
	// A pipeline that starts or ends has the directory and no socket.
	lockedFor   = 5 * time.Second
	lockedPause = 50 * time.Millisecond
	// An external server may be away.
	inspectFor = 30 * time.Second
)

// stateCmd shows the state of a stage.
type stateCmd struct {
	Stage    string    `arg:"" help:"The stage, such as worker."`
	Pipeline string    `placeholder:"NAME" group:"where" help:"Whose stage it is, when --dir does not say. Default: fizzbuzz."`
	Place    place     `embed:""`
	NATS     natsFlags `embed:""`
	Key      key       `placeholder:"KEY" help:"Only this key's state, of a stage that keeps one per key. Default: a line {\"key\":…,\"state\":…} for each."`
}

// Run shows it.
func (c *stateCmd) Run(a *app) error {
	pipeline := c.Pipeline
	if pipeline == "" {
		pipeline = "fizzbuzz"
	}
	dir, err := c.Place.directory(pipeline, a.getenv)
	if err != nil {
		return err
	}
	nats, err := c.NATS.config(a.getenv)
	if err != nil {
		return err
	}
	config := engine.Config{
		Dir:    dir,
		NATS:   nats,
		Logger: slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	ctx, release := a.interruptible(func() {})
	defer release()
	if err := c.NATS.blame(c.show(ctx, a, config)); err != nil {
		return fmt.Errorf("state of %s: %w", c.Stage, err)
	}
	return nil
}

// show asks the directory, or the process that has locked it.
func (c *stateCmd) show(ctx context.Context, a *app, config engine.Config) error {
	locked, cancel := context.WithTimeout(ctx, lockedFor)
	defer cancel()
	for {
		err := c.inspect(ctx, a, config)
		if !errors.Is(err, engine.ErrLocked) {
			return err
		}
		client := controlClient{dir: config.Dir}
		answer, away := client.state(ctx, c.Stage, c.Key.text)
		if away == nil {
			defer answer.Close()
			if err := c.isFrom(answer.pipeline); err != nil {
				return err
			}
			return answer.copyTo(a.stdout)
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

func (c *stateCmd) inspect(ctx context.Context, a *app, config engine.Config) (err error) {
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
	if err := c.isFrom(inspector.Pipeline()); err != nil {
		return err
	}
	view := stateView{
		one: func(key string) (json.RawMessage, error) { return inspector.StateOf(ctx, c.Stage, key) },
		each: func(fn func(string, json.RawMessage) error) error {
			return inspector.State(ctx, c.Stage, func(key string, state json.RawMessage) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return fn(key, state)
			})
		},
	}
	return view.write(a.stdout, c.Key.text)
}

func (c *stateCmd) isFrom(pipeline string) error {
	if c.Pipeline != "" && c.Pipeline != pipeline {
		return fmt.Errorf("the directory belongs to the pipeline %s, not to %s: name another with --dir", pipeline, c.Pipeline)
	}
	return nil
}
