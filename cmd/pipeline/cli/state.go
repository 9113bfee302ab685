package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"penstock/engine"
)

// stateCmd shows the state of a stage.
type stateCmd struct {
	Stage string    `arg:"" help:"The stage, such as worker."`
	Look  lookFlags `embed:""`
	Keys  keyFlags  `embed:""`
	Key   key       `placeholder:"KEY" help:"Only this key's state, of a stage that keeps one per key. Default: a line {\"key\":…,\"state\":…} for each."`
}

// Run shows it.
func (c *stateCmd) Run(a *app) error {
	config, err := c.Keys.add(c.Look.config(a))
	if err != nil {
		return err
	}
	ctx, release := a.interruptible(func() {})
	defer release()
	err = c.Look.look(ctx, config, question{
		stopped: func(ctx context.Context, i *engine.Inspector) error {
			return c.view(ctx, i).write(a.stdout, c.Key.text)
		},
		ask: func(ctx context.Context, client controlClient) (*answer, error) {
			return client.state(ctx, c.Stage, c.Key.text)
		},
		take: func(answer *answer) error { return answer.copyTo(a.stdout) },
	})
	if err := c.Look.NATS.blame(err); err != nil {
		return fmt.Errorf("state of %s: %w", c.Stage, err)
	}
	return nil
}

func (c *stateCmd) view(ctx context.Context, inspector *engine.Inspector) stateView {
	return stateView{
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
}
