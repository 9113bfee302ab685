package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"penstock/engine"
)

// eventsCmd shows the history of the stages.
type eventsCmd struct {
	Stage    string    `arg:"" optional:"" help:"The stage, such as worker. Default: all stages, merged by time."`
	Pipeline string    `placeholder:"NAME" group:"where" help:"Whose stages they are, when --dir does not say. Default: fizzbuzz."`
	Place    place     `embed:""`
	NATS     natsFlags `embed:""`
	JSON     bool      `name:"json" help:"One JSON object a line, with everything that is known of the event."`
	Stack    bool      `help:"In the table, also the stack of each panic, below its line. JSON has it anyway."`
}

// Run shows it.
func (c *eventsCmd) Run(a *app) error {
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
	what := "events"
	if c.Stage != "" {
		what = "events of " + c.Stage
	}
	events, err := c.find(ctx, config)
	if err := c.NATS.blame(err); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := c.view().write(a.stdout, events); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (c *eventsCmd) view() eventsView {
	switch {
	case c.JSON:
		return eventsJSON
	case c.Stack:
		return eventsStacks
	}
	return eventsTable
}

// find asks the directory, or the process that has locked it.
func (c *eventsCmd) find(ctx context.Context, config engine.Config) ([]engine.StageEvent, error) {
	locked, cancel := context.WithTimeout(ctx, lockedFor)
	defer cancel()
	for {
		events, err := c.inspect(ctx, config)
		if !errors.Is(err, engine.ErrLocked) {
			return events, err
		}
		answer, away := controlClient{dir: config.Dir}.events(ctx, c.Stage)
		if away == nil {
			defer answer.Close()
			if err := c.isFrom(answer.pipeline); err != nil {
				return nil, err
			}
			return readEvents(answer.body)
		}
		if !errors.Is(away, errNobody) {
			return nil, away
		}
		select {
		case <-time.After(lockedPause):
		case <-locked.Done():
			return nil, fmt.Errorf("%w; and it does not answer: %w", err, away)
		}
	}
}

func (c *eventsCmd) inspect(ctx context.Context, config engine.Config) (events []engine.StageEvent, err error) {
	opening, cancel := context.WithTimeout(ctx, inspectFor)
	defer cancel()
	inspector, err := engine.Inspect(opening, config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (nothing ran there yet; name another directory with --dir or --pipeline)", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, inspector.Close()) }()
	if err := c.isFrom(inspector.Pipeline()); err != nil {
		return nil, err
	}
	if c.Stage != "" {
		return inspector.History(c.Stage)
	}
	stages, err := inspector.Stages(opening)
	if err != nil {
		return nil, err
	}
	return allEvents(stages, inspector.History)
}

func (c *eventsCmd) isFrom(pipeline string) error {
	return (&stateCmd{Pipeline: c.Pipeline}).isFrom(pipeline)
}

// readEvents reads what the control socket answers.
func readEvents(body io.Reader) ([]engine.StageEvent, error) {
	var events []engine.StageEvent
	for decoder := json.NewDecoder(body); ; {
		var e engine.StageEvent
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the answer of the running pipeline broke off: %w", err)
		}
		events = append(events, e)
	}
}
