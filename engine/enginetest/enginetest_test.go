package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/observe"
)

func TestAStage(t *testing.T) {
	t.Parallel()
	p := engine.New("test")
	in := enginetest.Values(p, "in", "the", "", "way")
	out := enginetest.Collect(p, "out", engine.Stage(p, "shout", engine.On(in, Shout)))
	dir := t.TempDir()
	status := enginetest.Run(t, p, enginetest.In(dir))
	if got, want := out.Values(), []string{"THE", "WAY"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s := enginetest.Stage(t, status, "shout"); s.DeadLetters != 1 || s.In != 3 || s.Out != 2 {
		t.Errorf("shout: %+v", s)
	}
	if count := enginetest.State[int](t, dir, "shout")[""]; count != 2 {
		t.Errorf("the state is %d, want 2", count)
	}
}

func TestCollectTakesEachMessageOnce(t *testing.T) {
	t.Parallel()
	values := make([]int, 500)
	for i := range values {
		values[i] = i
	}
	p := engine.New("test")
	in := enginetest.Values(p, "in", values...)
	// The sink fails after it has collected: what it took comes again.
	out := enginetest.Collect(p.With(enginetest.FastRestarts()), "out", in)
	engine.Sink(p.With(enginetest.FastRestarts()), "failing", in, func(_ context.Context, _ *struct{}, m engine.Message[int]) error {
		if m.Value%100 == 99 && m.Attempt < 3 {
			return errors.New("on purpose")
		}
		return nil
	})
	for range 2 {
		status := enginetest.Run(t, p)
		if got := out.Values(); !slices.Equal(got, values) {
			t.Fatalf("collected %d values: %v", len(got), got)
		}
		if s := enginetest.Stage(t, status, "failing"); s.Errors != 10 || s.Restarts != 10 || s.In != 500 {
			t.Errorf("failing: %+v", s)
		}
	}
	for i, m := range out.Messages() {
		if m.Offset != uint64(i) || m.ID() != fmt.Sprintf("test.in:%d", i) {
			t.Fatalf("message %d is %s at offset %d", i, m.ID(), m.Offset)
		}
	}
}

func TestCollectForgetsWhatWasNotCommitted(t *testing.T) {
	t.Parallel()
	p := engine.New("test")
	in := enginetest.Values(p, "in", "a", "b", "c")
	failed := false
	out := enginetest.Collect(p.With(enginetest.FastRestarts()), "out", in.WithCodec(failing{engine.DefaultCodec[string](), &failed}))
	enginetest.Run(t, p)
	if got := out.Values(); !failed || !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("collected %q", got)
	}
}

// failing panics once at the value c.
type failing struct {
	engine.Codec[string]
	failed *bool
}

func (f failing) Decode(data []byte) (string, error) {
	if string(data) == "c" && !*f.failed {
		*f.failed = true
		panic("on purpose")
	}
	return f.Codec.Decode(data)
}

func TestStateByKey(t *testing.T) {
	t.Parallel()
	p := engine.New("test")
	words := enginetest.Values(p, "words", "a", "b", "a")
	engine.Sink(p, "count", engine.KeyBy(words, func(word string) string { return word }),
		func(_ context.Context, n *int, _ engine.Message[string]) error {
			*n++
			return nil
		})
	dir := t.TempDir()
	enginetest.Run(t, p, enginetest.In(dir))
	if got, want := enginetest.State[int](t, dir, "count"), map[string]int{"a": 2, "b": 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// recorder is a test that is allowed to fail.
type recorder struct {
	testing.TB
	ctx     context.Context
	limit   time.Time
	fatal   string
	written strings.Builder
}

func (r *recorder) Helper()                     {}
func (r *recorder) Output() io.Writer           { return &r.written }
func (r *recorder) Context() context.Context    { return r.ctx }
func (r *recorder) Deadline() (time.Time, bool) { return r.limit, true }
func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure returns what fn failed with, and "" when it did not.
func failure(t *testing.T, limit time.Time, fn func(t testing.TB)) (text, log string) {
	t.Helper()
	r := &recorder{TB: t, ctx: t.Context(), limit: limit}
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(r)
	}()
	<-done
	return r.fatal, r.written.String()
}

func TestRunFailsTheTest(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		limit time.Time
		run   func(t testing.TB)
		want  []string
	}{
		"the declaration is wrong": {later, func(t testing.TB) {
			p := engine.New("test")
			enginetest.Values(p, "in", 1)
			enginetest.Run(t, p)
		}, []string{"run pipeline test", "in has no reader"}},
		"the pipeline stops": {later, func(t testing.TB) {
			p := engine.New("test")
			engine.Sink(p, "out", enginetest.Values(p, "in", 1), func(context.Context, *struct{}, engine.Message[int]) error {
				return engine.Fatal(errors.New("no such table"))
			})
			enginetest.Run(t, p)
		}, []string{"run pipeline test", "out", "no such table"}},
		"it does not end": {time.Now().Add(18 * time.Second), func(t testing.TB) {
			p := engine.New("test")
			in := engine.Source(p, "in", func(ctx context.Context, _ *int, _ engine.Emit[int]) error {
				<-ctx.Done()
				return ctx.Err()
			})
			enginetest.Collect(p, "out", in)
			enginetest.Run(t, p)
		}, []string{"did not end within ", "in (in 0, out 0", "out ("}},
		"there is no such stage": {later, func(t testing.TB) {
			enginetest.Stage(t, observe.Status{Pipeline: "test"}, "out")
		}, []string{`no stage "out"`}},
		"there is no such directory": {later, func(t testing.TB) {
			enginetest.State[int](t, t.TempDir(), "out")
		}, []string{"is not a data directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, log := failure(t, test.limit, test.run)
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("failed with %q, want %q in it\n%s", text, want, log)
				}
			}
		})
	}
}
