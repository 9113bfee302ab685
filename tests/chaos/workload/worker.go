package workload

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
)

// worker has the functions of a stage.
type worker struct {
	spec     *Spec
	index    int
	stage    *Stage
	branches [maxDestinations]*engine.BranchOf[Item]
}

var (
	errPoison = errors.New("poison, on purpose")
	errShaky  = errors.New("shaky, on purpose")
	errRandom = errors.New("at random, on purpose")
)

// send emits a child of an item: the account is that of the state that the call works with.
func (w *worker) send(ctx context.Context, a account, to int, t Token, key string, own func(Item)) {
	flow := &a.plain().Out[to]
	i := Item{Token: t, Key: key, Seq: flow.Seq + 1, Random: rand.Uint64()}
	flow.add(i)
	if to == toOwn {
		own(i)
		return
	}
	w.branches[to].Emit(ctx, i)
}

// emitIDs is the function of a source.
func (w *worker) emitIDs(ctx context.Context, p *Plain, emit engine.Emit[Item]) error {
	if err := work(ctx, w.stage.Pace); err != nil {
		return err
	}
	for range w.stage.PerCall {
		if p.Next == w.stage.IDs {
			return io.EOF
		}
		t := Token{ID: uint64(w.index)<<sourceShift | p.Next}
		p.Next++
		w.spec.outputs(w.index, t, func(to int, child Token) { w.send(ctx, p, to, child, "", func(i Item) { emit(i) }) })
	}
	if w.stage.Random > 0 && rand.Uint64N(w.stage.Random) == 0 {
		return errRandom
	}
	return nil
}

func (w *worker) emitReleased(ctx context.Context, r *released[Plain], emit engine.Emit[Item]) error {
	return w.emitIDs(ctx, &r.State, emit)
}

// handle is the function of an input. It fails after all that it does, so that there is something to undo.
func handle[S any, P state[S], Out any](w *worker, input int, own func(engine.Emit[Out]) func(Item)) engine.MessageFunc[S, Item, Out] {
	return func(ctx context.Context, s *S, m engine.Message[Item], emit engine.Emit[Out]) error {
		return w.handle(ctx, P(s), input, m, own(emit))
	}
}

func handleBatch[S any, P state[S], Out any](w *worker, input int, own func(engine.Emit[Out]) func(Item)) func(context.Context, *S, []engine.Message[Item], engine.Emit[Out]) error {
	return func(ctx context.Context, s *S, batch []engine.Message[Item], emit engine.Emit[Out]) error {
		for _, m := range batch {
			if err := w.handle(ctx, P(s), input, m, own(emit)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *worker) handle(ctx context.Context, a account, input int, m engine.Message[Item], own func(Item)) error {
	if err := take(a, input, m.Value, w.spec.streamName(w.stage.Inputs[input])); err != nil {
		if w.spec.Poisoned(w.index, m.Value.Token) {
			return w.fail(m) // a dead letter that is replayed, which comes whenever it does, and fails again
		}
		return engine.Fatal(err)
	}
	if w.stage.Slow > 0 && m.Value.Seq%10 == 0 {
		if err := work(ctx, w.stage.Slow); err != nil {
			return err
		}
	}
	if w.stage.Kind == Window {
		return w.keep(ctx, a.rich(), m.Value, own)
	}
	key := w.stage.key(m.Value.Token)
	w.spec.outputs(w.index, m.Value.Token, func(to int, child Token) { w.send(ctx, a, to, child, key, own) })
	return w.fail(m)
}

// fail is the failure of a call, if it is to fail.
func (w *worker) fail(m engine.Message[Item]) error {
	manner := w.spec.draw(w.index, m.Value.Token, fateManner) % 3
	var err error
	switch {
	case w.spec.Poisoned(w.index, m.Value.Token):
		if manner == 0 {
			return engine.Reject(errPoison)
		}
		err = errPoison
	case m.Attempt == 1 && w.spec.fated(w.index, m.Value.Token, fateShaky, w.stage.Shaky):
		err = errShaky
	case m.Attempt <= 2 && w.stage.Random > 0 && rand.Uint64N(w.stage.Random) == 0:
		err = errRandom
	}
	if err != nil && manner == 1 {
		panic(err)
	}
	return err
}

// work is work that takes so long.
func work(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const (
	tickEvery  = 7 * time.Millisecond
	flushTimer = "flush"
	flushAfter = 4 * time.Millisecond
	fullWindow = 12
)

// tick emits the number of the tick.
func tick[S any, P state[S], Out any](w *worker) engine.TimerFunc[S, Out] {
	return func(ctx context.Context, s *S, _ time.Time, _ engine.Emit[Out]) error {
		p := P(s).plain()
		p.Ticks++
		w.send(ctx, P(s), toTicks, Token{ID: p.Ticks}, "", nil)
		return nil
	}
}

// keep keeps an item until the window is full, or its timer is due.
func (w *worker) keep(ctx context.Context, r *Rich, i Item, own func(Item)) error {
	if len(r.Held) == 0 {
		engine.SetTimer(ctx, flushTimer, enginetest.Now().Add(flushAfter))
	}
	r.Held = append(r.Held, i)
	if len(r.Held) >= fullWindow {
		engine.CancelTimer(ctx, flushTimer)
		w.flush(ctx, r, own)
	}
	return nil
}

func (w *worker) flush(ctx context.Context, r *Rich, own func(Item)) {
	for _, i := range r.Held {
		w.spec.outputs(w.index, i.Token, func(to int, child Token) { w.send(ctx, r, to, child, "", own) })
	}
	r.Held = nil
}

func flushDue[S any, P state[S], Out any](w *worker, own func(engine.Emit[Out]) func(Item)) engine.TimerFunc[S, Out] {
	return func(ctx context.Context, s *S, _ time.Time, emit engine.Emit[Out]) error {
		w.flush(ctx, P(s).rich(), own(emit))
		return nil
	}
}

func flushAtEnd[S any, P state[S], Out any](w *worker, own func(engine.Emit[Out]) func(Item)) func(context.Context, *S, engine.Emit[Out]) error {
	return func(ctx context.Context, s *S, emit engine.Emit[Out]) error {
		w.flush(ctx, P(s).rich(), own(emit))
		return nil
	}
}
