package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestRestartsWithBackoff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{OnEvent: events.add, Children: []Child{failing("worker", 4, broken)}}
		s.Children[0].Backoff.Max = 500 * ms
		if err := s.Serve(t.Context()); err != nil {
			t.Error(err)
		}
		same(t, "events", events.all(), []string{
			"0.0 worker starting", "0.0 worker fault error", "0.0 worker backing off 1 100ms",
			"0.1 worker restarting 1", "0.1 worker fault error", "0.1 worker backing off 2 200ms",
			"0.3 worker restarting 2", "0.3 worker fault error", "0.3 worker backing off 3 400ms",
			"0.7 worker restarting 3", "0.7 worker fault error", "0.7 worker backing off 4 500ms",
			"1.2 worker restarting 4", "1.2 worker stopped normal",
		})
		for _, e := range events.events {
			if (e.Kind == Failed || e.Kind == BackingOff) != errors.Is(e.Err, errBroken) {
				t.Errorf("error of %v = %v", e.Kind, e.Err)
			}
		}
	})
}

func TestPanicsAreContainedAndSiblingsUntouched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var none map[string]int
		var nobody *point
		ways := map[string]func() error{
			"text":    func() error { panic("boom") },
			"error":   func() error { panic(errBroken) },
			"nil":     func() error { panic(nil) },
			"runtime": func() error { none["a"] = 1; return nil },
			"pointer": func() error { nobody.x++; return nil },
			"goexit":  func() error { runtime.Goexit(); return nil },
		}
		events := newLog()
		s := Supervisor{OnEvent: events.add, Limit: Limit{Restarts: -1}, Children: []Child{
			{Name: "quiet", Serve: inTurn(after(time.Hour, ends))},
		}}
		for name, how := range ways {
			s.Children = append(s.Children, failing(name, 2, how))
		}
		if err := s.Serve(t.Context()); err != nil {
			t.Error(err)
		}
		for name := range ways {
			want := []string{
				"0.0 % starting", "0.0 % fault panic", "0.0 % backing off 1 100ms",
				"0.1 % restarting 1", "0.1 % fault panic", "0.1 % backing off 2 200ms",
				"0.3 % restarting 2", "0.3 % stopped normal",
			}
			for i := range want {
				want[i] = strings.Replace(want[i], "%", name, 1)
			}
			same(t, name, events.of(name), want)
		}
		same(t, "quiet", events.of("quiet"), []string{"0.0 quiet starting", "3600.0 quiet stopped normal"})
		for _, e := range events.events {
			var p *PanicError
			if e.Kind == Failed && (!errors.As(e.Err, &p) || len(p.Stack) == 0) {
				t.Errorf("fault of %s = %v, want a panic with its stack", e.Child, e.Err)
			}
		}
	})
}

func TestFatalStopsEverybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{OnEvent: events.add, Limit: Limit{Restarts: -1}, Children: []Child{
			idle("idle"),
			failing("failing", 9, broken),
			{Name: "reader", Serve: inTurn(after(150*ms, func() error { return fmt.Errorf("open: %w", Fatal(errBroken)) }))},
			{Name: "slow", Serve: func(ctx context.Context) error { <-ctx.Done(); <-time.After(time.Second); return io.ErrShortWrite }},
		}}
		err := s.Serve(t.Context())
		if !IsFatal(err) || !errors.Is(err, errBroken) || err.Error() != "reader: open: broken" {
			t.Errorf("error = %v", err)
		}
		same(t, "idle", events.of("idle"), []string{"0.0 idle starting", "1.1 idle stopped shutdown"})
		same(t, "reader", events.of("reader"), []string{"0.0 reader starting", "0.1 reader escalated error"})
		same(t, "failing", events.of("failing")[3:], []string{
			"0.1 failing restarting 1", "0.1 failing fault error", "0.1 failing backing off 2 200ms", "1.1 failing stopped shutdown"})
		same(t, "slow", events.of("slow"), []string{"0.0 slow starting", "1.1 slow fault error", "1.1 slow stopped shutdown"})
	})
}

func TestFirstFatalWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := Supervisor{Children: []Child{
			{Name: "second", Serve: func(ctx context.Context) error { <-ctx.Done(); return Fatal(io.ErrShortWrite) }},
			{Name: "first", Serve: func(context.Context) error { panic(Fatal(errBroken)) }},
		}}
		if err := s.Serve(t.Context()); !IsFatal(err) || !errors.Is(err, errBroken) || errors.Is(err, io.ErrShortWrite) {
			t.Errorf("error = %v", err)
		}
	})
}

// A failure that is passed up while everything stops anyway must be heard, a fatal one even after another.
func TestEscalationDuringShutdown(t *testing.T) {
	for name, c := range map[string]struct {
		first, last error
		fatal       bool
	}{
		"fatal":                 {context.Canceled, Fatal(errBroken), true},
		"escalated":             {context.Canceled, Escalate(errBroken), false},
		"fatal after escalated": {Escalate(io.EOF), Fatal(errBroken), true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := Supervisor{Children: []Child{
					{Name: "last", Serve: func(ctx context.Context) error { <-ctx.Done(); return c.last }},
					{Name: "first", Serve: func(ctx context.Context) error { <-ctx.Done(); return c.first }},
				}}
				err := serveFor(t, &s, time.Second)
				if !errors.Is(err, errBroken) || IsFatal(err) != c.fatal || errors.Is(err, io.EOF) {
					t.Errorf("error = %v", err)
				}
			})
		})
	}
}

// Children stop one at a time, the last one first.
func TestShutdownOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		drains := func(ctx context.Context) error { <-ctx.Done(); <-time.After(2 * time.Second); return nil }
		inner := &Supervisor{Children: []Child{{Name: "i1", Serve: drains}, {Name: "i2", Serve: drains}}}
		s := Supervisor{OnEvent: events.add, Children: []Child{
			{Name: "a", Serve: drains},
			{Name: "ends", Serve: inTurn(ends)},
			{Name: "in", Group: inner},
			{Name: "late", Backoff: Fixed(time.Hour), Serve: inTurn(broken)},
			{Name: "c", Serve: func(ctx context.Context) error {
				<-ctx.Done()
				if context.Cause(ctx) != context.DeadlineExceeded {
					t.Errorf("cause = %v", context.Cause(ctx))
				}
				return context.Cause(ctx)
			}},
		}}
		if err := serveFor(t, &s, time.Second); err != context.DeadlineExceeded {
			t.Errorf("error = %v, want that of the context", err)
		}
		same(t, "end", events.lines(func(e Event) bool { return e.Time.Sub(events.start) >= time.Second }), []string{
			"1.0 c stopped shutdown", "1.0 late stopped shutdown", "3.0 in/i2 stopped shutdown",
			"5.0 in/i1 stopped shutdown", "5.0 in stopped shutdown", "7.0 a stopped shutdown",
		})
	})
}

func TestNothingStartsAfterCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	events := newLog()
	s := Supervisor{OnEvent: events.add, Children: []Child{{Name: "late", Serve: func(context.Context) error {
		t.Error("started")
		return nil
	}}}}
	if err := s.Serve(ctx); err != context.Canceled {
		t.Errorf("error = %v", err)
	}
	same(t, "events", events.all(), []string{"0.0 late stopped shutdown"})
}

func TestServeWithoutChildren(t *testing.T) {
	t.Parallel()
	if err := new(Supervisor).Serve(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestServeAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := Supervisor{Children: []Child{idle("a")}}
		for range 2 {
			if err := serveFor(t, &s, time.Second); err != context.DeadlineExceeded {
				t.Error(err)
			}
			if got := s.Status()[0]; got.Starts != 1 {
				t.Errorf("status = %+v, want that of this run alone", got)
			}
		}
		stop := serveAside(t, &s)
		if err := Call(func() error { return s.Serve(t.Context()) }); err == nil || !strings.Contains(err.Error(), "served twice") {
			t.Errorf("error = %v", err)
		}
		if err := stop(); err != context.Canceled {
			t.Error(err)
		}
	})
}

func TestWiringMistakesPanic(t *testing.T) {
	t.Parallel()
	shared := &Supervisor{Name: "shared"}
	ring := &Supervisor{Name: "ring"}
	ring.Children = []Child{{Name: "in", Group: ring}}
	for want, children := range map[string][]Child{
		`child "a" has no Serve`:          {{Name: "a"}},
		`child "a" has both`:              {{Name: "a", Serve: untilDone, Group: shared}},
		`two children are named "a"`:      {failing("a", 0, nil), failing("a", 0, nil)},
		`"shared" is in two places`:       {{Name: "a", Group: shared}, {Name: "b", Group: shared}},
		`"ring" is in two places`:         {{Name: "a", Group: ring}},
		`check "health" of child "a" has`: {{Name: "a", Serve: untilDone, Checks: []Check{{}}}},
		`nested group has no name`:        {{Group: &Supervisor{}}},
	} {
		err := Call(func() error { return (&Supervisor{Children: children}).Serve(t.Context()) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %q", err, want)
		}
	}
}

// What is called by the manager cannot bring it down.
func TestHandlersAreContained(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := failing("a", 1, broken)
		c.Progress = func() uint64 { panic("progress") }
		var calls int
		s := Supervisor{
			Children:   []Child{c},
			OnEvent:    func(Event) { calls++; runtime.Goexit() },
			OnChildEnd: func(ChildEnd) { calls++; panic("end") },
		}
		if err := s.Serve(t.Context()); err != nil || calls != 7 {
			t.Errorf("error = %v after %d calls", err, calls)
		}
	})
}

func TestOnChildEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var got []string
		s := Supervisor{Children: []Child{{Name: "back", Group: &Supervisor{
			OnChildEnd: func(e ChildEnd) {
				got = append(got, fmt.Sprint(e.Group, " ", e.Child, " ", e.Policy, " ", e.Reason, " ", e.Err, " ", e.Restarting))
			},
			Strategy: OneForAll,
			Children: []Child{
				{Name: "a", Policy: Temporary, Serve: untilDone},
				{Name: "b", Policy: Permanent, Serve: inTurn(after(time.Second, broken))},
				{Name: "c", Serve: inTurn(func() error { return nil })},
			},
		}}}}
		_ = serveFor(t, &s, time.Minute)
		same(t, "ends", got, []string{
			"back c transient normal <nil> false",
			"back b permanent error broken true",
			"back a temporary shutdown <nil> false",
			"back b permanent shutdown <nil> false",
		})
	})
}
