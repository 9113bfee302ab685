package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
)

// unfitHook is a source whose hook emits something that cannot be sent between
// two values that can.
func unfitHook(p engine.Scope, hook string, bad sumText) *engine.Stream[sumText] {
	emits := func(_ context.Context, _ *Place, emit engine.Emit[sumText]) error {
		emit(sumText{Text: "<"})
		emit(bad)
		emit(sumText{Text: ">"})
		return nil
	}
	hooks := engine.Hooks[Place, sumText]{Start: emits}
	if hook == "end" {
		hooks = engine.Hooks[Place, sumText]{End: emits}
	}
	return engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[sumText]) error {
		if at.Next == 3 {
			return io.EOF
		}
		emit(sumText{Text: fmt.Sprint(at.Next)})
		if at.Next == 0 {
			emit(bad) // beside that of the start, which is as many calls in
		}
		at.Next++
		return nil
	}, hooks).WithCodec(engine.JSON[sumText]())
}

type sumText struct {
	Text string
	Sum  float64
}

func joined(p engine.Scope, in *engine.Stream[sumText]) {
	engine.Sink(p, "sink", in, func(_ context.Context, s *string, m engine.Message[sumText]) error {
		*s += m.Value.Text
		return nil
	})
}

var unfitHooks = map[string]string{"start": "<>012", "end": "012<>"}

// What a hook of a source emits and cannot be sent is kept or dropped like a
// value of its function.
func TestHookOfASourceGoesOnWithoutAValueThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for hook, want := range unfitHooks {
		for name, bad := range map[string]sumText{"codec": {Sum: math.NaN()}, "size": {Text: strings.Repeat("x", tooLargeValue)}} {
			for limit, letters := range map[engine.Limit]uint64{engine.DeadLetter: 2, engine.DropMessage: 0} {
				t.Run(fmt.Sprint(hook, name, limit), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					p := engine.New("without")
					joined(p, unfitHook(p.With(engine.OnUnfit(limit)), hook, bad))
					s := stageStatus(t, run(t, p, dir), "numbers")
					if s.Out != 5 || s.DeadLetters != letters || s.Dropped != 2-letters || s.Restarts+s.FailedAttempts != 0 {
						t.Errorf("%+v", s)
					}
					if got := committedState[string](t, dir, "sink")[""]; got != want {
						t.Errorf("the sink has %s", got)
					}
					kept := lettersIn(t, dir, "without")
					if uint64(len(kept)) != letters {
						t.Fatalf("%d letters", len(kept))
					}
					ofHook := 0
					for _, l := range kept {
						if l.InputInstance >= 1<<28 {
							ofHook++
						}
						if name == "size" && (l.Reason != dlq.ReasonTooLarge || !bytes.HasPrefix(l.Value, []byte(`{"Text":"xxx`))) {
							t.Errorf("%+v", l)
						}
					}
					if letters > 0 && ofHook != 1 {
						t.Errorf("%d letters of the hook", ofHook)
					}
				})
			}
		}
	}
}

// With the other limits, and without the option, a hook ends its source at once.
func TestHookOfASourceStopsAtAValueThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for _, hook := range []string{"start", "end"} {
		for name, options := range map[string][]engine.Option{"no option": nil,
			"stop": {engine.OnUnfit(engine.StopStage)}, "escalate": {engine.OnUnfit(engine.EscalateStage)}} {
			t.Run(hook+" "+name, func(t *testing.T) {
				t.Parallel()
				p := engine.New("stops")
				bad := sumText{Sum: math.NaN()}
				in := engine.Source(p.With(options...), "numbers", func(context.Context, *Place, engine.Emit[sumText]) error { return io.EOF },
					emittingHook(hook, bad)).WithCodec(engine.JSON[sumText]())
				joined(p, in)
				err := runFailing(t, p, t.TempDir())
				var limit *engine.AtLimitError
				switch {
				case name == "no option":
					if !strings.Contains(err.Error(), "engine.OnUnfit") {
						t.Errorf("error %v", err)
					}
				case name == "escalate" && !errors.As(err, &limit):
					t.Errorf("error %v", err)
				case !strings.Contains(err.Error(), "message "+hook+" has failed") || !strings.Contains(err.Error(), "as json"):
					t.Errorf("error %v", err)
				}
				if s := stageStatus(t, p.Status(), "numbers"); s.Restarts != 0 || s.Starts != 1 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func emittingHook(hook string, bad sumText) engine.Hooks[Place, sumText] {
	emits := func(_ context.Context, _ *Place, emit engine.Emit[sumText]) error { emit(bad); return nil }
	if hook == "start" {
		return engine.Hooks[Place, sumText]{Start: emits}
	}
	return engine.Hooks[Place, sumText]{End: emits}
}
