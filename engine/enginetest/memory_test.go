package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/observe"
)

func TestAPipelineInMemory(t *testing.T) {
	t.Parallel()
	p := engine.New("test")
	in := enginetest.Values(p, "in", "the", "", "way")
	shouted := engine.Stage(p, "shout", engine.On(in, Shout))
	out := enginetest.Collect(p, "out", shouted)
	engine.Sink(p, "count", engine.KeyBy(shouted, func(word string) string { return word[:1] }),
		func(_ context.Context, n *int, _ engine.Message[string]) error {
			*n++
			return nil
		})
	memory := enginetest.NewMemory()
	status := enginetest.Run(t, p, memory.In)
	if got, want := out.Values(), []string{"THE", "WAY"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s := enginetest.Stage(t, status, "shout"); s.DeadLetters != 1 || s.In != 3 || s.Out != 2 {
		t.Errorf("shout: %+v", s)
	}
	if count := enginetest.StateIn[int](t, memory, "shout")[""]; count != 2 {
		t.Errorf("the state is %d, want 2", count)
	}
	if got, want := enginetest.StateIn[int](t, memory, "count"), map[string]int{"T": 1, "W": 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	letters := memory.DeadLetters()
	if len(letters) != 1 || letters[0].ID() != "shout.0:in.0:1" || letters[0].Reason != dlq.ReasonRejected || letters[0].Round != 1 {
		t.Errorf("dead letters: %+v", letters)
	}
}

func TestRestartsAndAttemptsInMemory(t *testing.T) {
	t.Parallel()
	values := make([]int, 500)
	for i := range values {
		values[i] = i
	}
	p := engine.New("test")
	in := enginetest.Values(p, "in", values...)
	double := engine.Stage(p.With(enginetest.FastRestarts(), engine.Attempts(3)), "double", engine.On(in,
		func(_ context.Context, sum *int, m engine.Message[int], emit engine.Emit[int]) error {
			*sum += m.Value
			emit(2 * m.Value)
			switch {
			case m.Value == 250:
				panic("never")
			case m.Value%100 == 99 && m.Attempt < 3:
				return errors.New("on purpose")
			}
			return nil
		}))
	out := enginetest.Collect(p, "out", double)
	memory := enginetest.NewMemory()
	s := enginetest.Stage(t, enginetest.Run(t, p, memory.In), "double")
	if s.Errors != 10 || s.Panics != 3 || s.Restarts != 13 || s.DeadLetters != 1 {
		t.Errorf("double: %+v", s)
	}
	want := slices.Delete(slices.Clone(values), 250, 251)
	for i := range want {
		want[i] *= 2
	}
	if got := out.Values(); !slices.Equal(got, want) {
		t.Errorf("%d values: %v", len(got), got)
	}
	if sum := enginetest.StateIn[int](t, memory, "double")[""]; sum != 500*499/2-250 {
		t.Errorf("the sum is %d", sum)
	}
}

// numbered emits n numbers, and stops the run when it has emitted some.
func numbered(n, at int, stop func()) func(context.Context, *enginetest.Place, engine.Emit[int]) error {
	return func(ctx context.Context, place *enginetest.Place, emit engine.Emit[int]) error {
		if place.Next == n {
			return io.EOF
		}
		if place.Next == at {
			stop()
			<-ctx.Done()
			return ctx.Err()
		}
		emit(place.Next)
		place.Next++
		return nil
	}
}

func TestARunInMemoryIsResumed(t *testing.T) {
	t.Parallel()
	memory := enginetest.NewMemory()
	config := engine.Config{Logger: slog.New(slog.DiscardHandler)}
	memory.In(&config)
	const n = 1000
	run := func(at int) observe.Status {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		p := engine.New("test")
		numbers := engine.Source(p, "numbers", numbered(n, at, stop))
		engine.Sink(p, "sum", numbers, func(_ context.Context, sum *int, m engine.Message[int]) error {
			*sum += m.Value
			return nil
		})
		if err := p.Run(ctx, config); err != nil {
			t.Fatal(err)
		}
		return p.Status()
	}
	for _, at := range []int{100, 500} {
		if status := run(at); status.Completed {
			t.Fatalf("the run is complete: it was to stop at %d", at)
		}
		if next := enginetest.StateIn[enginetest.Place](t, memory, "numbers")[""].Next; next != at {
			t.Errorf("stopped at %d, and %d are emitted", at, next)
		}
	}
	for range 2 { // the second is another run: it starts anew
		if status := run(-1); !status.Completed {
			t.Fatalf("%+v", status)
		}
		if sum := enginetest.StateIn[int](t, memory, "sum")[""]; sum != n*(n-1)/2 {
			t.Errorf("the sum is %d", sum)
		}
	}
}

func TestDeadLettersInMemoryComeBack(t *testing.T) {
	t.Parallel()
	memory := enginetest.NewMemory()
	broken := true
	run := func(configure ...func(*engine.Config)) error {
		p := engine.New("test")
		in := enginetest.Values(p, "in", "the", "way")
		engine.Sink(p, "check", in, func(_ context.Context, taken *string, m engine.Message[string]) error {
			if m.Value == "way" && broken {
				return engine.Reject(errors.New("not this one"))
			}
			*taken += m.Value
			return nil
		})
		config := engine.Config{Logger: slog.New(slog.DiscardHandler)}
		for _, change := range append(configure, memory.In) {
			change(&config)
		}
		return p.Run(t.Context(), config)
	}
	want := func(state string, letters, round int) {
		t.Helper()
		if got := enginetest.StateIn[string](t, memory, "check")[""]; got != state {
			t.Errorf("taken %q, want %q", got, state)
		}
		if list := memory.DeadLetters(); len(list) != letters || letters > 0 && list[0].Round != round {
			t.Errorf("dead letters: %+v", list)
		}
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	want("the", 1, 1)
	if err := run(); !errors.Is(err, engine.ErrLettersLeft) {
		t.Errorf("a run that would delete a letter: %v", err)
	}
	id := memory.DeadLetters()[0].ID()
	if err := memory.Replay(id, nil); err != nil {
		t.Fatal(err)
	}
	if err := memory.Replay(id, nil); !errors.Is(err, dlq.ErrPending) {
		t.Errorf("a second replay: %v", err)
	}
	if err := run(); err != nil { // it is rejected once more
		t.Fatal(err)
	}
	want("the", 1, 2)
	broken = false
	if err := memory.Replay(id, []byte("end")); err != nil {
		t.Fatal(err)
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	want("theend", 0, 0)
}

func TestWhatARunInMemoryRefuses(t *testing.T) {
	t.Parallel()
	memory := enginetest.NewMemory()
	var inside []error
	wire := func(name string) *engine.Pipeline {
		p := engine.New(name)
		engine.Sink(p, "out", enginetest.Values(p, "in", 1), func(ctx context.Context, _ *struct{}, _ engine.Message[int]) error {
			_, err := p.DeadLetters()
			inside = append(inside, err)
			_, err = p.Examine(ctx)
			inside = append(inside, err, enginetestRun(memory, "test"))
			return nil
		})
		return p
	}
	enginetest.Run(t, wire("test"), memory.In)
	if len(inside) != 3 || !errors.Is(inside[0], engine.ErrInMemory) || !errors.Is(inside[1], engine.ErrInMemory) || inside[2] == nil {
		t.Errorf("inside of it: %v", inside)
	}
	if err := enginetestRun(memory, "other"); err == nil {
		t.Error("it takes another pipeline")
	}
	for name, change := range map[string]func(*engine.Config){
		"Config.Dir":             func(c *engine.Config) { c.Dir = t.TempDir() },
		"Config.NATS.URL":        func(c *engine.Config) { c.NATS.URL = "nats://127.0.0.1:1" },
		"Config.FrameKeys":       func(c *engine.Config) { c.FrameKeys = [][]byte{make([]byte, 16)} },
		"Config.DeadLetterCount": func(c *engine.Config) { c.DeadLetterCount = 1 },
	} {
		config := engine.Config{Logger: slog.New(slog.DiscardHandler)}
		memory.In(&config)
		change(&config)
		if err := wire("test").Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a run with %s: %v", name, err)
		}
	}
}

// enginetestRun runs another pipeline in the memory.
func enginetestRun(memory *enginetest.Memory, name string) error {
	p := engine.New(name)
	enginetest.Collect(p, "out", enginetest.Values(p, "in", 1))
	config := engine.Config{Logger: slog.New(slog.DiscardHandler)}
	memory.In(&config)
	return p.Run(context.Background(), config)
}

// BenchmarkAPipelineTest is a test of a whole pipeline, with a hundred messages.
func BenchmarkAPipelineTest(b *testing.B) {
	values := make([]string, 100)
	for i := range values {
		values[i] = fmt.Sprint("word", i%10)
	}
	for name, in := range map[string]func() func(*engine.Config){
		"memory":          func() func(*engine.Config) { return enginetest.NewMemory().In },
		"embedded server": func() func(*engine.Config) { return enginetest.In(b.TempDir()) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p := engine.New("test")
				shouted := engine.Stage(p, "shout", engine.On(enginetest.Values(p, "in", values...), Shout))
				out := enginetest.Collect(p, "out", shouted)
				enginetest.Run(b, p, in(), func(c *engine.Config) { c.Logger = slog.New(slog.DiscardHandler) })
				if len(out.Values()) != len(values) {
					b.Fatalf("%d values", len(out.Values()))
				}
			}
		})
	}
}

// A replayed dead letter is collected behind the others: its old offset does not make them be forgotten.
func TestCollectTakesAReplay(t *testing.T) {
	t.Parallel()
	memory := enginetest.NewMemory()
	p := engine.New("test")
	broken := true
	out := enginetest.Collect(p, "out", enginetest.Values(p, "in", "a", "b", "c").WithCodec(refusing{engine.DefaultCodec[string](), &broken}))
	enginetest.Run(t, p, memory.In)
	if got := out.Values(); !slices.Equal(got, []string{"a", "c"}) {
		t.Fatalf("collected %q", got)
	}
	if err := memory.Replay("out.0:in.0:1", nil); err != nil {
		t.Fatal(err)
	}
	broken = false
	enginetest.Run(t, p, memory.In)
	if got := out.Values(); !slices.Equal(got, []string{"a", "c", "b"}) {
		t.Errorf("collected %q", got)
	}
}

// refusing cannot read the value b.
type refusing struct {
	engine.Codec[string]
	broken *bool
}

func (r refusing) Decode(data []byte) (string, error) {
	if string(data) == "b" && *r.broken {
		return "", errors.New("on purpose")
	}
	return r.Codec.Decode(data)
}
