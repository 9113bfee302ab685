package lookcmd

import (
	"context"
	"fmt"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/where"
	"penstock/cmd/pipeline/internal/wire"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/observe"
)

// Events shows the history of the stages.
type Events struct {
	Stage string      `arg:"" optional:"" help:"The stage, such as worker. Default: all stages, merged by time."`
	Look  where.Flags `embed:""`
	JSON  bool        `name:"json" help:"Print each event as one line of JSON, with all fields."`
	Stack bool        `help:"Also print the stack of each panic below its line. JSON always has it."`
}

// Run shows it.
func (c *Events) Run(a *app.Invocation) error {
	config, err := c.Look.Config(a)
	if err != nil {
		return err
	}
	ctx, release := a.Interruptible(func() {})
	defer release()
	what := "events"
	if c.Stage != "" {
		what = "events of " + c.Stage
	}
	events, err := c.find(ctx, config)
	if err := c.Look.NATS.Blame(err); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := c.view().write(a.Stdout, events); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (c *Events) view() eventsView {
	switch {
	case c.JSON:
		return eventsJSON
	case c.Stack:
		return eventsStacks
	}
	return eventsTable
}

func (c *Events) find(ctx context.Context, config engine.Config) (events []observe.StageEvent, err error) {
	err = c.Look.Look(ctx, config, where.Question{
		Stopped: func(ctx context.Context, i *inspect.Inspector) (err error) {
			events, err = c.history(ctx, i)
			return err
		},
		Ask: func(ctx context.Context, client socket.Client) (*socket.Answer, error) {
			return client.Events(ctx, c.Stage)
		},
		Take: func(answer *socket.Answer) (err error) {
			events, err = socket.ReadEvents(answer.Body)
			return err
		},
	})
	return events, err
}

func (c *Events) history(ctx context.Context, inspector *inspect.Inspector) ([]observe.StageEvent, error) {
	if c.Stage != "" {
		return inspector.History(c.Stage)
	}
	stages, err := inspector.Stages(ctx)
	if err != nil {
		return nil, err
	}
	return wire.AllEvents(stages, inspector.History)
}
