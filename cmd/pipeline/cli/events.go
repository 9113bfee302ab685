package cli

import (
	"context"
	"fmt"
	"io"

	"penstock/engine"
)

// eventsCmd shows the history of the stages.
type eventsCmd struct {
	Stage string    `arg:"" optional:"" help:"The stage, such as worker. Default: all stages, merged by time."`
	Look  lookFlags `embed:""`
	JSON  bool      `name:"json" help:"One JSON object a line, with everything that is known of the event."`
	Stack bool      `help:"In the table, also the stack of each panic, below its line. JSON has it anyway."`
}

// Run shows it.
func (c *eventsCmd) Run(a *app) error {
	config, err := c.Look.config(a)
	if err != nil {
		return err
	}
	ctx, release := a.interruptible(func() {})
	defer release()
	what := "events"
	if c.Stage != "" {
		what = "events of " + c.Stage
	}
	events, err := c.find(ctx, config)
	if err := c.Look.NATS.blame(err); err != nil {
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

func (c *eventsCmd) find(ctx context.Context, config engine.Config) (events []engine.StageEvent, err error) {
	err = c.Look.look(ctx, config, question{
		stopped: func(ctx context.Context, i *engine.Inspector) (err error) {
			events, err = c.history(ctx, i)
			return err
		},
		ask: func(ctx context.Context, client controlClient) (*answer, error) { return client.events(ctx, c.Stage) },
		take: func(answer *answer) (err error) {
			events, err = readEvents(answer.body)
			return err
		},
	})
	return events, err
}

func (c *eventsCmd) history(ctx context.Context, inspector *engine.Inspector) ([]engine.StageEvent, error) {
	if c.Stage != "" {
		return inspector.History(c.Stage)
	}
	stages, err := inspector.Stages(ctx)
	if err != nil {
		return nil, err
	}
	return allEvents(stages, inspector.History)
}

// eventsMost bounds the events of an answer: histories are much shorter.
const eventsMost = 200_000

// readEvents reads what the control socket answers.
func readEvents(body io.Reader) ([]engine.StageEvent, error) {
	var events []engine.StageEvent
	err := eachLine(boundedTo(body, wholeMost), listedMost, func(e engine.StageEvent) error {
		switch {
		case e.Number == 0 || e.Kind == "" || e.Time.Year() < 2000:
			return fmt.Errorf("the answer on the control socket is damaged: line %d is no event of a stage", len(events)+1)
		case len(events) == eventsMost:
			return fmt.Errorf("%w: it has more than %d events", errTooMuch, eventsMost)
		}
		events = append(events, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return events, nil
}
