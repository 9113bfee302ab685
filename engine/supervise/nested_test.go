package supervise

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// nest puts a child into a group "back" of the root, and that into "inner".
func nest(c Child, limit Limit) *Supervisor {
	return &Supervisor{Limit: limit, Children: []Child{{Name: "back", Backoff: Fixed(time.Second), Group: &Supervisor{
		Limit: limit, Children: []Child{idle("sibling"), {Name: "inner", Backoff: Fixed(time.Second),
			Group: &Supervisor{Limit: limit, Children: []Child{c}}}},
	}}}}
}

// A limit that is exceeded is a failure one level up, which has a limit of its own.
func TestLimitsEscalateLevelByLevel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := Child{Name: "worker", Backoff: Fixed(time.Second), Serve: func(context.Context) error { return errBroken }}
		s := nest(c, Limit{Restarts: 1})
		events := newLog()
		s.OnEvent = events.add
		err := s.Serve(t.Context())
		want := `child "back" failed 2 times within 1m0s (limit 1): ` +
			`group "back": child "inner" failed 2 times within 1m0s (limit 1): ` +
			`group "back/inner": child "worker" failed 2 times within 1m0s (limit 1): broken`
		if err == nil || err.Error() != want || !errors.Is(err, errBroken) {
			t.Errorf("error = %v, want %s", err, want)
		}
		if got := events.count("worker", Failed); got != 8 {
			t.Errorf("%d failures, want two a life of inner, of two a life of back, of two", got)
		}
		same(t, "back", events.lines(func(e Event) bool { return e.Group == "" && e.Kind != Up }), []string{
			"0.0 back starting", "3.0 back fault error", "3.0 back backing off 1 1s", "4.0 back restarting 1",
			"7.0 back fault error", "7.0 back escalated error",
		})
		worker := s.Children[0].Group.Status()[1].Children[0]
		if worker.Starts != 8 || worker.Restarts[Error] != 4 || worker.State != StateEscalated {
			t.Errorf("worker = %+v, want its counters to go on", worker)
		}
	})
}

// Each life of a group begins with an empty account.
func TestRestartedGroupStartsAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := Child{Name: "worker", Backoff: Immediate(), Serve: inTurn(broken, broken, broken, broken, ends)}
		s := nest(c, Limit{Restarts: 1})
		s.Children[0].Group.Limit, s.Children[0].Group.Strategy = Limit{}, OneForAll
		s.Children[0].Group.Children = append(s.Children[0].Group.Children, idle("after"))
		events := newLog()
		s.OnEvent = events.add
		if err := serveFor(t, s, time.Minute); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if got := events.count("inner", Restarting); got != 2 {
			t.Errorf("inner restarted %d times", got)
		}
		same(t, "siblings", events.lines(func(e Event) bool {
			return e.Group == "back" && e.Child != "inner" && e.Time.Before(events.start.Add(2*time.Second))
		}), []string{
			"0.0 back/sibling starting", "0.0 back/after starting", "0.0 back/after stopped shutdown", "0.0 back/sibling stopped shutdown",
			"1.0 back/sibling restarting 0", "1.0 back/after restarting 0", "1.0 back/after stopped shutdown", "1.0 back/sibling stopped shutdown",
		})
	})
}

func TestEscalateIsHeardByTheParentOnly(t *testing.T) {
	for name, how := range map[string]func() error{
		"returned": func() error { return Escalate(Uncounted(errBroken)) },
		"panicked": func() error { panic(Escalate(errBroken)) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := nest(Child{Name: "worker", Serve: inTurn(how, how)}, Limit{Restarts: 1})
				events := newLog()
				s.OnEvent = events.add
				if err := serveFor(t, s, time.Minute); err != context.DeadlineExceeded {
					t.Error(err)
				}
				// Twice, so that the limit of back is exceeded: it is not concerned by a mark for inner.
				for name, want := range map[string]int{"worker": 0, "inner": 1, "back": 1} {
					if got := events.count(name, Restarting); got != want {
						t.Errorf("%s restarted %d times, want %d", name, got, want)
					}
				}
				if got := events.count("worker", Escalated); got != 2 {
					t.Errorf("escalated %d times", got)
				}
			})
		})
	}
}

func TestEscalateAtTheRoot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		err := (&Supervisor{Name: "top", Children: []Child{{Name: "a", Serve: inTurn(func() error { return Escalate(errBroken) })}}}).Serve(t.Context())
		var passed *EscalatedError
		if !errors.As(err, &passed) || err.Error() != `group "top": child "a" escalated: broken` || !errors.Is(err, errBroken) || IsFatal(err) {
			t.Errorf("error = %v", err)
		}
	})
}

func TestFatalGoesUpToTheRoot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := nest(Child{Name: "worker", Serve: inTurn(func() error { panic(Fatal(errBroken)) })}, Limit{})
		events := newLog()
		s.OnEvent = events.add
		if err := s.Serve(t.Context()); !IsFatal(err) || err.Error() != "back: inner: worker: panic: broken" {
			t.Errorf("error = %v", err)
		}
		same(t, "ends", events.lines(func(e Event) bool { return e.Kind != Starting && e.Kind != Up }), []string{
			"0.0 back/inner/worker escalated panic", "0.0 back/inner escalated panic",
			"0.0 back/sibling stopped shutdown", "0.0 back escalated panic",
		})
	})
}

// A group whose children have all ended has ended; its policy may want it back.
func TestGroupEndsNormally(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lives := 0
		group := func(name string, p Policy) Child {
			return Child{Name: name, Policy: p, Backoff: Fixed(time.Second), Group: &Supervisor{Children: []Child{
				{Name: "one", Serve: func(context.Context) error { lives++; <-time.After(time.Second); return nil }}}}}
		}
		s := Supervisor{Children: []Child{group("permanent", Permanent)}}
		var over *LimitError
		if err := s.Serve(t.Context()); !errors.As(err, &over) || over.Cause != nil || lives != 6 {
			t.Errorf("error = %v after %d lives", err, lives)
		}
		s = Supervisor{Children: []Child{group("transient", Transient)}}
		if err := s.Serve(t.Context()); err != nil || lives != 7 {
			t.Errorf("error = %v after %d lives", err, lives)
		}
	})
}

// What an earlier life of a group left behind is no concern of the end.
func TestLeftBehindByARestartedGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		var lives atomic.Int32
		s := Supervisor{Children: []Child{{Name: "back", Group: &Supervisor{Children: []Child{
			{Name: "hangs", StopTimeout: time.Second, Serve: func(ctx context.Context) error {
				if lives.Add(1) == 1 {
					<-release
				}
				return untilDone(ctx)
			}},
			{Name: "fails", Serve: inTurn(func() error { return Escalate(errBroken) })},
		}}}}}
		s.Children[0].Recover = func(_ context.Context, f Fault) Decision {
			var passed *EscalatedError
			if !f.Abandoned || !errors.As(f.Err, &passed) || f.Reason != Error {
				t.Errorf("fault = %+v", f)
			}
			return ByPolicy
		}
		if err := serveFor(t, &s, time.Minute); err != context.DeadlineExceeded || lives.Load() != 2 {
			t.Errorf("error = %v after %d lives", err, lives.Load())
		}
		if got := s.Children[0].Group.Status()[0]; got.Abandoned != 1 || got.Starts != 2 {
			t.Errorf("status = %+v", got)
		}
		close(release)
	})
}
