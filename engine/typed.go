package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"penstock/engine/internal/state"
)

type typedProcessor[S, Out any] struct {
	*typed[S, Out]
	emit  Emit[Out]
	whole *state.Whole[S]
	keys  *state.Keyed[S]
	none  S // what hooks of a keyed stage get
}

func (t *typed[S, Out]) recovers() recoverFunc { return t.recover }

func (t *typed[S, Out]) newProcessor(in *task) processor {
	m := &typedProcessor[S, Out]{typed: t}
	if t.Stage.Keyed() {
		m.keys = state.NewKeyed(t.codec, in.committed, state.Bounds{Keys: t.Options.Keys, Memory: t.Options.KeyMemory}, in.usesKey)
	} else {
		m.whole = state.NewWhole(t.codec)
	}
	m.emit = func(value Out, options ...EmitOption) {
		if t.Stage.Output == nil {
			return // None: there is nowhere to go
		}
		emitTo(in, 0, *t.output, value, options)
	}
	return m
}

func (m *typedProcessor[S, Out]) keeper() state.Keeper {
	if m.keys != nil {
		return m.keys
	}
	return m.whole
}

func (m *typedProcessor[S, Out]) state(keyed bool, key string) (*S, error) {
	if keyed {
		value, err := m.keys.Get(key)
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

// hookState is the state that a hook of the whole stage gets.
func (m *typedProcessor[S, Out]) hookState() *S {
	if m.keys != nil {
		return &m.none
	}
	return m.whole.Get()
}

func (m *typedProcessor[S, Out]) callSource(ctx context.Context) error {
	return m.source(ctx, m.whole.Get(), m.emit)
}

func (m *typedProcessor[S, Out]) callMessage(ctx context.Context, p *peeked) error {
	return m.handlers[p.input.definition.Index].message(ctx, m, p)
}

func (m *typedProcessor[S, Out]) callBatch(ctx context.Context, input int, batch []peeked) error {
	return m.handlers[input].batch(ctx, m, batch)
}

func (m *typedProcessor[S, Out]) callTimer(ctx context.Context, timer int, now time.Time) error {
	return m.ticks[timer](ctx, m.whole.Get(), now, m.emit)
}

func (m *typedProcessor[S, Out]) callStart(ctx context.Context) error {
	for _, h := range m.hooks {
		if h.Start != nil {
			if err := h.Start(ctx, m.hookState(), m.emit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) callBeforeCommit(ctx context.Context) error {
	for _, h := range m.hooks {
		if h.BeforeCommit != nil {
			if err := h.BeforeCommit(ctx, m.hookState()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) callEnd(ctx context.Context, key string) error {
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

func (m *typedProcessor[S, Out]) callStop(ctx context.Context) error {
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

func (m *typedProcessor[S, Out]) hasStart() bool {
	return slices.ContainsFunc(m.hooks, func(h Hooks[S, Out]) bool { return h.Start != nil })
}

func (m *typedProcessor[S, Out]) hasBeforeCommit() bool {
	for _, h := range m.hooks {
		if h.BeforeCommit != nil {
			return true
		}
	}
	return false
}

func (m *typedProcessor[S, Out]) hasEnd() bool {
	for _, h := range m.hooks {
		if h.End != nil {
			return true
		}
	}
	return false
}
