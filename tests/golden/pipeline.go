package golden

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// Numbers is how many the source emits: 0, 1, 2 …
const Numbers = 600

// Place is the state of the source.
type Place struct{ Next uint64 }

// Total is the state of one key of the stage totals: the numbers with the same remainder.
type Total struct{ Count, Sum uint64 }

// Running is what totals emits.
type Running struct {
	Number uint64
	Key    string
	Sum    uint64
}

// Audit is the state of the sinks.
type Audit struct{ Taken, Sum, Fired uint64 }

// Hooks let a test or a process come in between. The zero value does not.
type Hooks struct {
	Emit  func(ctx context.Context, number uint64) error // before a number is emitted
	Audit func(taken uint64)                             // before a sum is taken
}

// Key is that of a number.
func Key(number uint64) string { return fmt.Sprint("k", number%7) }

// Rejected and Panics are the numbers that become dead letters of totals.
func Rejected(number uint64) bool { return number%50 == 13 }
func Panics(number uint64) bool   { return number%150 == 77 }

// IsOdd is what goes to the branch.
func IsOdd(number uint64) bool { return number%2 == 1 }

// New declares it: a source, a stage with state by key, dead letters and a branch, and a sink of each stream, one with
// a timer.
func New(hooks Hooks) *engine.Pipeline {
	p := engine.New("golden")
	numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == Numbers {
			return io.EOF
		}
		if hooks.Emit != nil {
			if err := hooks.Emit(ctx, at.Next); err != nil {
				return err
			}
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	odd := engine.Branch[uint64](p, "odd")
	fast := engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond})
	totals := engine.Stage(p.With(engine.Branches(odd), engine.Attempts(2), fast), "totals", engine.On(engine.KeyBy(numbers, Key),
		func(ctx context.Context, t *Total, m engine.Message[uint64], emit engine.Emit[Running]) error {
			switch {
			case Rejected(m.Value):
				return engine.Reject(errors.New("not this one"))
			case Panics(m.Value):
				panic("this one never")
			}
			t.Count++
			t.Sum += m.Value
			emit(Running{m.Value, Key(m.Value), t.Sum})
			if IsOdd(m.Value) {
				odd.Emit(ctx, m.Value)
			}
			return nil
		}))
	engine.Sink(p, "audit", totals, func(_ context.Context, a *Audit, m engine.Message[Running]) error {
		if hooks.Audit != nil {
			hooks.Audit(a.Taken)
		}
		a.Taken++
		a.Sum += m.Value.Number
		return nil
	}, engine.Every(time.Hour, func(_ context.Context, a *Audit, _ time.Time, _ engine.Emit[engine.None]) error {
		a.Fired++
		return nil
	}))
	engine.Sink(p, "odds", &odd.Stream, func(_ context.Context, a *Audit, m engine.Message[uint64]) error {
		a.Taken++
		a.Sum += m.Value
		return nil
	})
	return p
}
