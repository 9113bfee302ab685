package engine_test

import (
	"context"
	"testing"

	"penstock/engine"
)

// The call that panicked is over, so the next one is watched as well: here it
// is the stop hook.
func TestDeadlineOfTheCallAfterAPanic(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	first := make(chan struct{}, 1)
	first <- struct{}{}
	p := engine.New("stophook")
	numbers := engine.Source(p, "numbers", count(3, 3))
	engine.Sink(p.With(short()...), "sink", numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 1 && m.Attempt == 1 {
				panic("not well")
			}
			return nil
		}, engine.Hooks[struct{}, engine.None]{Stop: func(context.Context, *struct{}) error {
			select {
			case <-first:
				h.hang()
			default:
			}
			return nil
		}})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	s := stageStatus(t, b.complete(), "sink")
	if s.In != 3 || s.Starts != 2 || s.Unhealthy != 1 || s.Abandoned != 1 || s.DeadLetters != 0 {
		t.Errorf("%+v", s)
	}
}

// What a deadline says of a message is right also where the messages of
// several inputs take turns.
func TestDeadlineNamesTheMessage(t *testing.T) {
	t.Parallel()
	h := newHangs(t)
	p := engine.New("named")
	faults := make(chan string, 8)
	take := func(context.Context, *struct{}, engine.Message[uint64], engine.Emit[engine.None]) error { return nil }
	engine.Stage(p.With(short()...), "sink",
		engine.On(engine.Source(p, "left", count(500, 50)), take),
		engine.On(engine.Source(p, "right", count(500, 50)),
			func(_ context.Context, _ *struct{}, m engine.Message[uint64], _ engine.Emit[engine.None]) error {
				if m.Value == 333 && m.Attempt == 1 {
					h.hang()
				}
				return nil
			}),
		engine.Hooks[struct{}, engine.None]{Recover: func(_ context.Context, f engine.Fault[struct{}]) engine.Recovery[struct{}] {
			faults <- f.Call
			return engine.Recovery[struct{}]{}
		}})
	b := runBeside(t, p, testConfig(t, t.TempDir()))
	if s := stageStatus(t, b.complete(), "sink"); s.In != 1000 || s.Abandoned != 1 {
		t.Errorf("%+v", s)
	}
	if call := <-faults; call != "message right.0:333" {
		t.Errorf("the fault names %s", call)
	}
}
