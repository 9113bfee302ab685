package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("broken")

// log collects events; OnEvent is called one at a time, so it needs no lock while Serve runs.
type log []Event

func (l *log) add(e Event) { *l = append(*l, e) }

// of returns what happened to one child, with seconds since start.
func (l *log) of(child string, start time.Time) []string {
	var lines []string
	for _, e := range *l {
		if e.Child == child {
			lines = append(lines, fmt.Sprintf("%.1f %v %d %v", e.Time.Sub(start).Seconds(), e.Kind, e.Restart, e.Delay))
		}
	}
	return lines
}

// failing is a child that fails n times and then ends for good.
func failing(name string, n int, how func() error) Child {
	return Child{Name: name, Backoff: Backoff{Jitter: -1}, Serve: func(context.Context) error {
		if n == 0 {
			return nil
		}
		n--
		return how()
	}}
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRestartsWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		start := time.Now()
		s := Supervisor{OnEvent: events.add, Children: []Child{failing("worker", 4, func() error { return errBroken })}}
		s.Children[0].Backoff.Max = 500 * time.Millisecond
		if err := s.Serve(t.Context()); err != nil {
			t.Error(err)
		}
		same(t, "events", events.of("worker", start), []string{
			"0.0 starting 0 0s", "0.0 fault 0 0s", "0.0 backing off 1 100ms",
			"0.1 restarting 1 0s", "0.1 fault 0 0s", "0.1 backing off 2 200ms",
			"0.3 restarting 2 0s", "0.3 fault 0 0s", "0.3 backing off 3 400ms",
			"0.7 restarting 3 0s", "0.7 fault 0 0s", "0.7 backing off 4 500ms",
			"1.2 restarting 4 0s", "1.2 stopped 0 0s",
		})
		for _, e := range events {
			if (e.Kind == Fault || e.Kind == BackingOff) != errors.Is(e.Err, errBroken) {
				t.Errorf("error of %v = %v", e.Kind, e.Err)
			}
		}
	})
}

func TestProgressStartsBackoffAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done, runs uint64
		var delays []time.Duration
		s := Supervisor{
			OnEvent: func(e Event) {
				if e.Kind == BackingOff {
					delays = append(delays, e.Delay)
				}
			},
			Children: []Child{{
				Name:     "worker",
				Backoff:  Backoff{Jitter: -1},
				Progress: func() uint64 { return done },
				Serve: func(context.Context) error {
					runs++
					switch runs {
					case 4, 6:
						done++
					case 8:
						return nil
					}
					return errBroken
				},
			}},
		}
		if err := s.Serve(t.Context()); err != nil {
			t.Error(err)
		}
		const ms = time.Millisecond
		if want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 100 * ms, 200 * ms, 100 * ms, 200 * ms}; !slices.Equal(delays, want) {
			t.Errorf("delays = %v, want %v", delays, want)
		}
	})
}

func TestPanicsAreContainedAndSiblingsUntouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		var none map[string]int
		start := time.Now()
		quiet := make(chan struct{})
		s := Supervisor{OnEvent: events.add, Children: []Child{
			failing("text", 2, func() error { panic("boom") }),
			failing("nil", 2, func() error { panic(nil) }),
			failing("runtime", 2, func() error { none["a"] = 1; return nil }),
			failing("goexit", 2, func() error { runtime.Goexit(); return nil }),
			{Name: "quiet", Serve: func(context.Context) error { <-quiet; return nil }},
		}}
		go func() {
			<-time.After(time.Hour) // of the bubble: everybody else is through long before
			close(quiet)
		}()
		if err := s.Serve(t.Context()); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"text", "nil", "runtime", "goexit"} {
			same(t, name, events.of(name, start), []string{
				"0.0 starting 0 0s", "0.0 fault 0 0s", "0.0 backing off 1 100ms",
				"0.1 restarting 1 0s", "0.1 fault 0 0s", "0.1 backing off 2 200ms",
				"0.3 restarting 2 0s", "0.3 stopped 0 0s",
			})
		}
		same(t, "quiet", events.of("quiet", start), []string{"0.0 starting 0 0s", "3600.0 stopped 0 0s"})
		for _, e := range events {
			var p *PanicError
			if e.Kind == Fault && (!errors.As(e.Err, &p) || len(p.Stack) == 0) {
				t.Errorf("fault of %s = %v, want a panic with its stack", e.Child, e.Err)
			}
		}
	})
}

func TestEscalationStopsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		start := time.Now()
		s := Supervisor{OnEvent: events.add, Children: []Child{
			{Name: "idle", Serve: untilDone},
			failing("backing off", 9, func() error { return errBroken }),
			{Name: "reader", Serve: func(context.Context) error {
				<-time.After(150 * time.Millisecond)
				return fmt.Errorf("open: %w", Escalate(errBroken))
			}},
			{Name: "slow", Serve: func(ctx context.Context) error {
				<-ctx.Done()
				<-time.After(time.Second)
				return io.ErrShortWrite
			}},
		}}
		err := s.Serve(t.Context())
		if !IsEscalated(err) || !errors.Is(err, errBroken) || err.Error() != "reader: open: broken" {
			t.Errorf("error = %v", err)
		}
		same(t, "idle", events.of("idle", start), []string{"0.0 starting 0 0s", "0.1 stopped 0 0s"})
		same(t, "reader", events.of("reader", start), []string{"0.0 starting 0 0s", "0.1 escalated 0 0s"})
		same(t, "backing off", events.of("backing off", start)[3:], []string{
			"0.1 restarting 1 0s", "0.1 fault 0 0s", "0.1 backing off 2 200ms", "0.1 stopped 0 0s"})
		same(t, "slow", events.of("slow", start), []string{"0.0 starting 0 0s", "1.1 fault 0 0s", "1.1 stopped 0 0s"})
	})
}

func TestFirstEscalationWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Supervisor{Children: []Child{
			{Name: "second", Serve: func(ctx context.Context) error { <-ctx.Done(); return Escalate(io.ErrShortWrite) }},
			{Name: "first", Serve: func(context.Context) error { panic(Escalate(errBroken)) }},
		}}
		if err := s.Serve(t.Context()); !IsEscalated(err) || !errors.Is(err, errBroken) || errors.Is(err, io.ErrShortWrite) {
			t.Errorf("error = %v", err)
		}
	})
}

func TestCancelWaitsForChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		var events log
		s := Supervisor{OnEvent: events.add, Children: []Child{
			{Name: "drains", Serve: func(ctx context.Context) error { <-ctx.Done(); <-time.After(4 * time.Second); return nil }},
			{Name: "idle", Serve: untilDone},
			failing("ends", 0, nil),
		}}
		if err := s.Serve(ctx); err != context.DeadlineExceeded {
			t.Errorf("error = %v, want that of the context", err)
		}
		same(t, "drains", events.of("drains", start), []string{"0.0 starting 0 0s", "5.0 stopped 0 0s"})
		same(t, "idle", events.of("idle", start), []string{"0.0 starting 0 0s", "1.0 stopped 0 0s"})
		same(t, "ends", events.of("ends", start), []string{"0.0 starting 0 0s", "0.0 stopped 0 0s"})
	})
}

// A child that escalates while everything stops anyway must be heard.
func TestEscalationDuringShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := Supervisor{Children: []Child{
			{Name: "writer", Serve: func(ctx context.Context) error { <-ctx.Done(); return Escalate(errBroken) }},
		}}
		go func() { synctest.Wait(); cancel() }()
		if err := s.Serve(ctx); !errors.Is(err, errBroken) {
			t.Errorf("error = %v, want %v", err, errBroken)
		}
	})
}

func TestNothingStartsAfterCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var events log
	s := Supervisor{OnEvent: events.add, Children: []Child{{Name: "late", Serve: func(context.Context) error {
		t.Error("started")
		return nil
	}}}}
	if err := s.Serve(ctx); err != context.Canceled {
		t.Errorf("error = %v", err)
	}
	if len(events) != 1 || events[0].Kind != Stopped {
		t.Errorf("events = %+v", events)
	}
}

func TestAbandon(t *testing.T) {
	for name, c := range map[string]struct {
		abandon time.Duration
		want    time.Duration
	}{
		"default": {0, 5 * time.Second},
		"shorter": {time.Second, time.Second},
		"at once": {-1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				release := make(chan struct{})
				hang := func(context.Context) error { <-release; return errBroken }
				var events log
				s := Supervisor{Abandon: c.abandon, OnEvent: events.add, Children: []Child{
					{Name: "hangs", Serve: hang},
					{Name: "ended", Serve: func(context.Context) error { return nil }},
					{Name: "hangs too", Serve: hang},
				}}
				go func() { synctest.Wait(); cancel() }()
				start := time.Now()
				err := s.Serve(ctx)
				var abandoned *AbandonedError
				if !errors.As(err, &abandoned) || !slices.Equal(abandoned.Children, []string{"hangs", "hangs too"}) {
					t.Fatalf("error = %v", err)
				}
				if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "hangs, hangs too") {
					t.Errorf("error = %v, want both names and %v", err, context.Canceled)
				}
				if took := time.Since(start); took != c.want {
					t.Errorf("took %v, want %v", took, c.want)
				}
				before := len(events)
				close(release)
				synctest.Wait()
				if len(events) != before {
					t.Errorf("events after Serve returned: %+v", events[before:])
				}
			})
		})
	}
}

func TestAbandonAfterEscalation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started, release := make(chan struct{}), make(chan struct{})
		s := Supervisor{Children: []Child{
			{Name: "hangs", Serve: func(context.Context) error { close(started); <-release; return nil }},
			{Name: "fails", Serve: func(context.Context) error { <-started; return Escalate(errBroken) }},
		}}
		err := s.Serve(t.Context())
		var abandoned *AbandonedError
		if !errors.As(err, &abandoned) || !IsEscalated(err) || !errors.Is(err, errBroken) {
			t.Errorf("error = %v", err)
		}
		close(release)
	})
}

// At the very moment when waiting ends, a child that has ended is not called abandoned.
func TestLastMoment(t *testing.T) {
	t.Parallel()
	results := make(chan result, 2)
	results <- result{child: 0}
	results <- result{child: 1, err: errBroken}
	w := waiting{cancel: func() {}, running: []bool{true, true}, left: 2}
	if w.drain(results); w.left != 0 || w.escalated != errBroken || w.abandoned(make([]Child, 2)) != nil {
		t.Errorf("after draining: %+v", w)
	}
}

func TestServeWithoutChildren(t *testing.T) {
	t.Parallel()
	if err := new(Supervisor).Serve(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWiringMistakesPanic(t *testing.T) {
	t.Parallel()
	for want, children := range map[string][]Child{
		`child "a" has no Serve`:      {{Name: "a"}},
		`two children are called "a"`: {failing("a", 0, nil), failing("a", 0, nil)},
	} {
		err := Call(func() error { return (&Supervisor{Children: children}).Serve(t.Context()) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %q", err, want)
		}
	}
}

func TestEscalate(t *testing.T) {
	t.Parallel()
	if Escalate(nil) != nil || IsEscalated(nil) || IsEscalated(errBroken) {
		t.Error("escalated without a reason")
	}
	if err := Escalate(errBroken); err.Error() != errBroken.Error() || !errors.Is(err, errBroken) {
		t.Errorf("escalated error = %v", err)
	}
}

func TestEventKindNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for k := Starting; k <= Escalated; k++ {
		seen[k.String()] = true
	}
	if len(seen) != 6 || seen[""] || EventKind(99).String() != "event kind 99" {
		t.Errorf("names = %v, %v", seen, EventKind(99))
	}
}
