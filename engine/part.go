package engine

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// Part is something a stage is made of: what On, OnBatch, Every, Hooks and
// StateCodec give. S is the stage's state, Out what it emits.
type Part[S, Out any] interface {
	addTo(t *typed[S, Out])
}

// typed is the typed half of a definition: the user's functions.
type typed[S, Out any] struct {
	stage    *plan.Stage
	pipeline *Pipeline
	codec    Codec[S]
	output   *streamCode[Out]
	source   SourceFunc[S, Out]
	handlers []handler[S, Out] // by input
	ticks    []TimerFunc[S, Out]
	hooks    hooks[S, Out]
	recover  task.RecoverFunc
}

// handler decodes and handles what one input delivers: one by one or in
// batches.
type handler[S, Out any] struct {
	message func(ctx context.Context, m *typedProcessor[S, Out], p *task.Peeked) error
	batch   func(ctx context.Context, m *typedProcessor[S, Out], batch []task.Peeked) error
}

type partFunc[S, Out any] func(t *typed[S, Out])

func (f partFunc[S, Out]) addTo(t *typed[S, Out]) { f(t) }

// On reads a stream with a function that is called for every message.
func On[S, In, Out any](in *Stream[In], fn MessageFunc[S, In, Out]) Part[S, Out] {
	return partFunc[S, Out](func(t *typed[S, Out]) {
		read(t.stage, in, false)
		code, key := in.code, in.key
		t.handlers = append(t.handlers, handler[S, Out]{
			message: func(ctx context.Context, m *typedProcessor[S, Out], p *task.Peeked) error {
				message, err := decode(code.codec, key, p)
				if err != nil {
					return err
				}
				state, err := m.state(key != nil, message.Key)
				if err != nil {
					return err
				}
				return fn(ctx, state, message, m.emit)
			},
		})
	})
}

// OnBatch reads a stream with a function that gets many messages in one call:
// as many as have arrived, at most BatchSize. A batch that fails is tried
// again message by message. One that is answered with Reject comes again message by
// message as well, at once: that is no failure of the stage. A stream read by KeyBy cannot be read in batches.
func OnBatch[S, In, Out any](in *Stream[In], fn func(ctx context.Context, state *S, batch []Message[In], emit Emit[Out]) error) Part[S, Out] {
	return partFunc[S, Out](func(t *typed[S, Out]) {
		read(t.stage, in, true)
		if in.key != nil {
			t.stage.Problem("it reads %s in batches and by key: use engine.On", in)
		}
		code := in.code
		t.handlers = append(t.handlers, handler[S, Out]{
			batch: func(ctx context.Context, m *typedProcessor[S, Out], batch []task.Peeked) error {
				messages := make([]Message[In], len(batch))
				for i := range batch {
					message, err := decode(code.codec, nil, &batch[i])
					if err != nil {
						return err
					}
					messages[i] = message
				}
				state, err := m.state(false, "")
				if err != nil {
					return err
				}
				return fn(ctx, state, messages, m.emit)
			},
		})
	})
}

func read[In any](d *plan.Stage, in *Stream[In], batch bool) {
	input := d.Reads(in.definition, batch)
	if in.key != nil {
		input.Key = func(value []byte) (string, error) {
			v, err := in.code.codec.Decode(value)
			if err != nil {
				return "", err
			}
			return in.key(v), nil
		}
		in.code.keys[d] = in.key
	}
	d.Problems = append(d.Problems, unsavable("message", in.code.codec)...)
}

func decode[In any](codec Codec[In], key func(In) string, p *task.Peeked) (Message[In], error) {
	m := Message[In]{
		Key:     string(p.Message.Key),
		Time:    time.Unix(0, p.Message.Time),
		Offset:  p.Offset,
		Attempt: p.Attempt,
		Replay:  p.Replay,
		input:   p.Input,
		past:    p.Past,
	}
	var err error
	if m.Value, err = codec.Decode(p.Message.Value); err != nil {
		return m, undecodable(m.ID(), codec.Name(), err)
	}
	if key != nil {
		m.Key = key(m.Value)
	}
	return m, nil
}

func undecodable(id, codec string, err error) error {
	err = fmt.Errorf("decode %s as %s: %w", id, codec, supervise.Sound(err))
	if answer.IsUnavailable(err) { // a codec that asks a registry
		return err
	}
	return Reject(err)
}

// Hooks are called around the life of a stage. Each may be nil. For a keyed
// stage Start, BeforeCommit and Stop get a zero state that is not kept.
type Hooks[S, Out any] struct {
	// Start is called at every start, after the state was restored and
	// before anything else: open files, say where the stage resumes.
	Start func(ctx context.Context, state *S, emit Emit[Out]) error
	// BeforeCommit is called before each commit, to make effects outside
	// durable that the commit will speak of: flush and sync a file.
	BeforeCommit func(ctx context.Context, state *S) error
	// End is called once, when the stage has taken its last message; for a
	// keyed stage once for every key, in the order of the keys (CurrentKey
	// tells which).
	End func(ctx context.Context, state *S, emit Emit[Out]) error
	// Stop is called when the stage stops for whatever reason, also before
	// a restart: close files. The state is not kept.
	Stop func(ctx context.Context, state *S) error
	// Recover decides what to do after a fault; see RecoveryFunc. Without
	// it the restart policy does.
	Recover RecoveryFunc[S]
}

func (h Hooks[S, Out]) addTo(t *typed[S, Out]) {
	t.hooks.add(h)
	if h.Recover != nil {
		if t.recover != nil {
			t.stage.Problem("it has two Recover hooks")
		}
		t.recover = t.recovery(h.Recover)
	}
	if t.stage.Kind == observe.KindSource && h.BeforeCommit != nil {
		t.stage.Problem("a source has no BeforeCommit hook: its function runs while it is committed")
	}
}

// hooks are those of all parts of a stage, in the order of the parts.
type hooks[S, Out any] struct {
	start, end         []func(ctx context.Context, state *S, emit Emit[Out]) error
	beforeCommit, stop []func(ctx context.Context, state *S) error
}

func (l *hooks[S, Out]) add(h Hooks[S, Out]) {
	if h.Start != nil {
		l.start = append(l.start, h.Start)
	}
	if h.BeforeCommit != nil {
		l.beforeCommit = append(l.beforeCommit, h.BeforeCommit)
	}
	if h.End != nil {
		l.end = append(l.end, h.End)
	}
	if h.Stop != nil {
		l.stop = append(l.stop, h.Stop)
	}
}

// StateCodec replaces the codec of the stage's state, which is DefaultCodec. See
// Migrated for a state whose type has changed.
func StateCodec[S, Out any](c Codec[S]) Part[S, Out] {
	return partFunc[S, Out](func(t *typed[S, Out]) { t.codec = c })
}

// unsavable finds what a codec would drop without a word: a state that silently
// loses a field at a restart is worse than one that is refused.
func unsavable[T any](what string, codec Codec[T]) []error {
	if m, isMigrated := codec.(interface{ current() Codec[T] }); isMigrated {
		codec = m.current()
	}
	c, isOurs := codec.(refuser)
	if !isOurs || c.refused() == nil {
		return nil
	}
	return []error{unsavableType(what, reflect.TypeFor[T](), codec.Name(), c.refused())}
}

type refuser interface{ refused() error }

func unsavableType(what string, t reflect.Type, codec string, err error) error {
	return fmt.Errorf("its %s type %v cannot be saved as %s: %w", what, t, strings.ToUpper(codec), err)
}
