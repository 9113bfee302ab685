package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// grow adds a block of the given size to a state that is written as it is.
func grow(state *[]byte, size uint64) { *state = append(*state, make([]byte, size)...) }

// sizes emits the given numbers, one a call.
func sizes(p engine.Scope, list ...uint64) *engine.Stream[uint64] {
	return engine.Source(p, "sizes", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		return count(uint64(len(list)), 1)(ctx, at, func(n uint64, _ ...engine.EmitOption) { emit(list[n]) })
	})
}

// watchSize counts the events about the size of states.
func watchSize(config engine.Config) (engine.Config, *atomic.Int64) {
	var told atomic.Int64
	config.OnEvent = func(e supervise.Event) {
		if e.Kind == observe.StateSize {
			told.Add(1)
		}
	}
	return config, &told
}

// A state that has grown to the limit stops its stage, after a warning at half
// of it. No message is blamed, and what came before is committed.
func TestStateThatHasOutgrownACommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wire := func() *engine.Pipeline {
		p := engine.New("outgrown")
		engine.Sink(p.With(fast), "sink", sizes(p, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20),
			func(_ context.Context, s *[]byte, m engine.Message[uint64]) error { grow(s, m.Value); return nil })
		return p
	}
	for round := range 2 { // a start changes nothing
		p := wire()
		config, told := watchSize(testConfig(t, dir))
		err := runBounded(t, p, config)
		var tooLarge *engine.StateTooLargeError
		if !errors.As(err, &tooLarge) || tooLarge.Size != 8<<20 || !strings.Contains(err.Error(), "KeyBy") || !strings.Contains(err.Error(), "max_payload") {
			t.Fatalf("error %v", err)
		}
		s := stageStatus(t, p.Status(), "sink")
		if s.DeadLetters != 0 || s.In != 7 || s.StateBytes != 7<<20 || s.StateLimit != int64(tooLarge.Limit) {
			t.Errorf("%+v", s)
		}
		if round == 0 && (told.Load() != 1 || s.LargeStates != 1) {
			t.Errorf("%d warnings, %+v", told.Load(), s)
		}
	}
}

// The outputs of a call that a state near the limit leaves no room for are not
// the message's failure either.
func TestOutputsBesideALargeState(t *testing.T) {
	t.Parallel()
	p := engine.New("beside")
	out := engine.Stage(p.With(fast), "worker", engine.On(sizes(p, 3<<20, 3<<20, 0),
		func(_ context.Context, s *[]byte, m engine.Message[uint64], emit engine.Emit[[]byte]) error {
			grow(s, m.Value+1)
			if m.Value == 0 {
				emit(make([]byte, 3<<20))
			}
			return nil
		}))
	engine.Sink(p, "sink", out, func(_ context.Context, n *int, _ engine.Message[[]byte]) error { *n++; return nil })
	err := runFailing(t, p, t.TempDir())
	var tooLarge *engine.StateTooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Size != 6<<20+3 || tooLarge.Outputs < 3<<20 {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "worker"); s.DeadLetters != 0 || s.In != 2 {
		t.Errorf("%+v", s)
	}
}

// A message that alone makes a state too large is the one to blame.
func TestMessageThatMakesAStateTooLarge(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, way engine.Option) {
		for name, keyed := range map[string]bool{"one state": false, "keyed": true} {
			t.Run(name, func(t *testing.T) {
				p := engine.New("jump")
				in := sizes(p, 1<<20, 9<<20, 1<<20, 1<<20)
				if keyed {
					in = engine.KeyBy(in, func(uint64) string { return "k" })
				}
				engine.Sink(p.With(fast, way), "sink", in, func(_ context.Context, s *[]byte, m engine.Message[uint64]) error { grow(s, m.Value); return nil })
				dir := t.TempDir()
				config, told := watchSize(testConfig(t, dir))
				if err := runBounded(t, p, config); err != nil {
					t.Fatal(err)
				}
				s := stageStatus(t, p.Status(), "sink")
				letters := lettersIn(t, dir, "jump")
				if s.In != 4 || len(letters) != 1 || letters[0].Offset != 1 || letters[0].Reason != "too-large" || !strings.Contains(letters[0].Error, "of state") {
					t.Errorf("%+v %+v", s, letters)
				}
				if told.Load() != 0 {
					t.Error("a warning of a state that is small")
				}
			})
		}
	})
}

// In a keyed stage the messages of a key that has outgrown a commit become
// letters that tell so, and the other keys go on. When it has shrunk that is
// told as well.
func TestKeyThatHasOutgrownACommit(t *testing.T) {
	t.Parallel()
	p := engine.New("hot")
	list := []uint64{5 << 20, 4 << 20, 1, 4 << 20, 2, 0, 3}
	one := engine.Capacity{Messages: 1} // so that each is committed before the next one comes
	engine.Sink(p.With(fast), "sink", engine.KeyBy(sizes(p, list...).WithCapacity(one), func(size uint64) string {
		if size == 0 || size >= 1<<20 {
			return "hot"
		}
		return "cold"
	}), func(_ context.Context, s *[]byte, m engine.Message[uint64]) error {
		if m.Value == 0 {
			*s = nil
		}
		grow(s, m.Value)
		return nil
	})
	dir := t.TempDir()
	config, told := watchSize(testConfig(t, dir))
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	s := stageStatus(t, p.Status(), "sink")
	letters := lettersIn(t, dir, "hot")
	if s.In != 7 || len(letters) != 2 || s.LargeStates != 0 || told.Load() != 2 {
		t.Errorf("%d told, %+v %+v", told.Load(), s, letters)
	}
	for _, l := range letters {
		if l.Key != "hot" || !strings.Contains(l.Error, `of key "hot"`) {
			t.Errorf("%+v", l)
		}
	}
}

// A timer and an End hook that emit more than fits have no message to blame: no
// innocent one becomes a letter.
func TestTooMuchAtOnceWithoutAMessage(t *testing.T) {
	t.Parallel()
	flood := func(emit engine.Emit[[]byte]) {
		for range 9 {
			emit(make([]byte, 1<<20))
		}
	}
	pass := engine.On[int, uint64, []byte]
	for name, part := range map[string]engine.Part[int, []byte]{
		"end":   engine.Hooks[int, []byte]{End: func(_ context.Context, _ *int, emit engine.Emit[[]byte]) error { flood(emit); return nil }},
		"timer": engine.OnTimer("flood", func(_ context.Context, _ *int, _ time.Time, emit engine.Emit[[]byte]) error { flood(emit); return nil }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("flood")
			out := engine.Stage(p.With(fast), "worker", pass(engine.Source(p, "numbers", count(10, 10)),
				func(ctx context.Context, n *int, m engine.Message[uint64], _ engine.Emit[[]byte]) error {
					if *n++; name == "timer" && m.Value == 9 {
						engine.SetTimer(ctx, "flood", m.Time)
					}
					return nil
				}), part)
			engine.Sink(p, "sink", out, func(_ context.Context, n *int, _ engine.Message[[]byte]) error { *n++; return nil })
			err := runFailing(t, p, t.TempDir())
			var tooLarge *engine.TooLargeError
			if !errors.As(err, &tooLarge) || tooLarge.Size-tooLarge.State < 9<<20 || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v", err)
			}
			if s := stageStatus(t, p.Status(), "worker"); s.DeadLetters != 0 || s.In != 10 {
				t.Errorf("%+v", s)
			}
		})
	}
}
