package lookcmd

import (
	"context"
	"encoding/json"
	"fmt"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/where"
	"penstock/cmd/pipeline/internal/wire"
	"penstock/engine/inspect"
)

// State shows the state of a stage.
type State struct {
	Stage string      `arg:"" help:"The stage, such as worker."`
	Look  where.Flags `embed:""`
	Keys  where.Keys  `embed:""`
	Key   flags.Key   `placeholder:"KEY" help:"Show only the state of this key, for a keyed stage. Default: one line {\"key\":…,\"state\":…} per key."`
}

// Run shows it.
func (c *State) Run(a *app.Invocation) error {
	config, err := c.Keys.Add(c.Look.Config(a))
	if err != nil {
		return err
	}
	ctx, release := a.Interruptible(func() {})
	defer release()
	err = c.Look.Look(ctx, config, where.Question{
		Stopped: func(ctx context.Context, i *inspect.Inspector) error {
			return c.view(ctx, i).Write(a.Stdout, c.Key.Text)
		},
		Ask: func(ctx context.Context, client socket.Client) (*socket.Answer, error) {
			return client.State(ctx, c.Stage, c.Key.Text)
		},
		Take: func(answer *socket.Answer) error { return answer.CopyTo(a.Stdout) },
	})
	if err := c.Look.NATS.Blame(err); err != nil {
		return fmt.Errorf("state of %s: %w", c.Stage, err)
	}
	return nil
}

func (c *State) view(ctx context.Context, inspector *inspect.Inspector) wire.StateView {
	return wire.StateView{
		One: func(key string) (json.RawMessage, error) { return inspector.StateOf(ctx, c.Stage, key) },
		Each: func(fn func(string, json.RawMessage) error) error {
			return inspector.State(ctx, c.Stage, func(key string, state json.RawMessage) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return fn(key, state)
			})
		},
	}
}
