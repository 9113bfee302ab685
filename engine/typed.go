package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/state"
	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

type typedProcessor[S, Out any] struct {
	*typed[S, Out]
	emit  Emit[Out]
	whole *state.Whole[S]
	keys  *state.Keyed[S]
	none  S // what hooks of a keyed stage get
	part  plan.InstanceID
}

func (t *typed[S, Out]) Recovers() task.RecoverFunc { return t.recover }

func (t *typed[S, Out]) NewProcessor(in *task.Task) task.Processor {
	m := &typedProcessor[S, Out]{typed: t, part: in.ID}
	if t.Stage.Keyed() {
		m.keys = state.NewKeyed(t.codec, in.Committed, state.Bounds{Keys: t.Options.Keys, Memory: t.Options.KeyMemory}, in.UsesKey)
	} else {
		m.whole = state.NewWhole(t.codec)
	}
	m.emit = func(value Out, options ...EmitOption) {
		if t.Stage.Output == nil {
			return // None: there is nowhere to go
		}
		emitTo(in, 0, t.output, value, options)
	}
	return m
}

func (m *typedProcessor[S, Out]) Keeper() state.Keeper {
	if m.keys != nil {
		return m.keys
	}
	return m.whole
}

func (m *typedProcessor[S, Out]) state(keyed bool, key string) (*S, error) {
	if keyed {
		if err := m.owns(key); err != nil {
			return nil, err
		}
		value, err := m.keys.Get(key)
		err = supervise.Sound(err) // perhaps the codec's
		var tooLong *state.KeyTooLongError
		switch {
		case err == nil:
			return value, nil
		case errors.As(err, &tooLong):
			return nil, Reject(err)
		}
		return nil, Fatal(err)
	}
	return m.whole.Get(), nil
}

// owns refuses a key of another partition: its state is there.
func (m *typedProcessor[S, Out]) owns(key string) error {
	layout := m.Stage.Layout()
	if layout.Count == 1 {
		return nil
	}
	if at, here := layout.PartitionOf(key), layout.Partition(m.part.Number); at != here {
		return Reject(fmt.Errorf("stage %s: key %q belongs to partition %d, and the message came to partition %d: the key of a value was another one before it was encoded; "+
			"have the function of KeyBy use only what the codec keeps", m.Stage.Name, key, at, here))
	}
	return nil
}

// hookState is the state that a hook of the whole stage gets.
func (m *typedProcessor[S, Out]) hookState() *S {
	if m.keys != nil {
		return &m.none
	}
	return m.whole.Get()
}

func (m *typedProcessor[S, Out]) CallSource(ctx context.Context) error {
	return m.source(ctx, m.whole.Get(), m.emit)
}

func (m *typedProcessor[S, Out]) CallMessage(ctx context.Context, p *task.Peeked) error {
	return m.handlers[p.Input.Input.Index].message(ctx, m, p)
}

func (m *typedProcessor[S, Out]) CallBatch(ctx context.Context, input int, batch []task.Peeked) error {
	return m.handlers[input].batch(ctx, m, batch)
}

func (m *typedProcessor[S, Out]) CallTimer(ctx context.Context, timer int, now time.Time) error {
	return m.ticks[timer](ctx, m.whole.Get(), now, m.emit)
}

func (m *typedProcessor[S, Out]) CallStart(ctx context.Context) error {
	for _, h := range m.hooks {
		if h.Start != nil {
			if err := h.Start(ctx, m.hookState(), m.emit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) CallBeforeCommit(ctx context.Context) error {
	for _, h := range m.hooks {
		if h.BeforeCommit != nil {
			if err := h.BeforeCommit(ctx, m.hookState()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) CallEnd(ctx context.Context, key string) error {
	for _, h := range m.hooks {
		if h.End == nil {
			continue
		}
		state, err := m.state(m.keys != nil, key)
		if err != nil {
			return err
		}
		if err := h.End(ctx, state, m.emit); err != nil {
			return err
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) CallStop(ctx context.Context) error {
	var first error
	for _, h := range m.hooks {
		if h.Stop != nil {
			if err := h.Stop(ctx, m.hookState()); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

func (m *typedProcessor[S, Out]) HasStart() bool {
	return slices.ContainsFunc(m.hooks, func(h Hooks[S, Out]) bool { return h.Start != nil })
}

func (m *typedProcessor[S, Out]) HasBeforeCommit() bool {
	for _, h := range m.hooks {
		if h.BeforeCommit != nil {
			return true
		}
	}
	return false
}

func (m *typedProcessor[S, Out]) HasEnd() bool {
	for _, h := range m.hooks {
		if h.End != nil {
			return true
		}
	}
	return false
}
