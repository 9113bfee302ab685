package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/state"
	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

type typedProcessor[S, Out any] struct {
	code  *typed[S, Out]
	emit  Emit[Out]
	whole *state.Whole[S]
	keys  *state.Keyed[S]
	none  S // what hooks of a keyed stage get
	part  plan.InstanceID
}

func (t *typed[S, Out]) Recovers() task.RecoverFunc { return t.recover }

func (t *typed[S, Out]) NewProcessor(in *task.Task) task.Processor {
	m := &typedProcessor[S, Out]{code: t, part: in.ID}
	if t.stage.Keyed() {
		m.keys = state.NewKeyed(t.codec, in.Committed, state.Bounds{Keys: t.stage.Options.Keys, Memory: t.stage.Options.KeyMemory}, in.UsesKey)
	} else {
		m.whole = state.NewWhole(t.codec)
	}
	m.emit = func(value Out, options ...EmitOption) {
		if t.stage.Output == nil {
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
	if !keyed {
		return m.whole.Get(), nil
	}
	if err := owns(m.code.stage, m.part, key); err != nil {
		return nil, err
	}
	value, err := m.keys.Get(key)
	if err != nil {
		return nil, noState(err)
	}
	return value, nil
}

// owns refuses a key of another partition: its state is there.
func owns(stage *plan.Stage, part plan.InstanceID, key string) error {
	layout := stage.Layout()
	if layout.Count == 1 {
		return nil
	}
	if at, here := layout.PartitionOf(key), layout.Partition(part.Number); at != here {
		return Reject(fmt.Errorf("stage %s: key %q belongs to partition %d, and the message came to partition %d: the key of a value was another one before it was encoded; "+
			"have the function of KeyBy use only what the codec keeps", stage.Name, key, at, here))
	}
	return nil
}

func noState(err error) error {
	err = supervise.Sound(err) // perhaps the codec's
	var tooLong *state.KeyTooLongError
	if errors.As(err, &tooLong) {
		return Reject(err)
	}
	return Fatal(err)
}

// hookState is the state that a hook of the whole stage gets.
func (m *typedProcessor[S, Out]) hookState() *S {
	if m.keys != nil {
		return &m.none
	}
	return m.whole.Get()
}

func (m *typedProcessor[S, Out]) CallSource(ctx context.Context) error {
	return m.code.source(ctx, m.whole.Get(), m.emit)
}

func (m *typedProcessor[S, Out]) CallMessage(ctx context.Context, p *task.Peeked) error {
	return m.code.handlers[p.Input.Input.Index].message(ctx, m, p)
}

func (m *typedProcessor[S, Out]) CallBatch(ctx context.Context, input int, batch []task.Peeked) error {
	return m.code.handlers[input].batch(ctx, m, batch)
}

func (m *typedProcessor[S, Out]) CallTimer(ctx context.Context, timer int, now time.Time) error {
	return m.code.ticks[timer](ctx, m.whole.Get(), now, m.emit)
}

func (m *typedProcessor[S, Out]) CallStart(ctx context.Context) error {
	for _, start := range m.code.hooks.start {
		if err := start(ctx, m.hookState(), m.emit); err != nil {
			return err
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) CallBeforeCommit(ctx context.Context) error {
	for _, beforeCommit := range m.code.hooks.beforeCommit {
		if err := beforeCommit(ctx, m.hookState()); err != nil {
			return err
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) CallEnd(ctx context.Context, key string) error {
	for _, end := range m.code.hooks.end {
		state, err := m.state(m.keys != nil, key)
		if err != nil {
			return err
		}
		if err := end(ctx, state, m.emit); err != nil {
			return err
		}
	}
	return nil
}

func (m *typedProcessor[S, Out]) CallStop(ctx context.Context) error {
	var first error
	for _, stop := range m.code.hooks.stop {
		if err := stop(ctx, m.hookState()); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (m *typedProcessor[S, Out]) HasStart() bool { return len(m.code.hooks.start) > 0 }

func (m *typedProcessor[S, Out]) HasBeforeCommit() bool { return len(m.code.hooks.beforeCommit) > 0 }

func (m *typedProcessor[S, Out]) HasEnd() bool { return len(m.code.hooks.end) > 0 }
