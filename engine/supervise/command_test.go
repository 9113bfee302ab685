package supervise

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// stateOf returns what the child at that place of the tree does.
func stateOf(s *Supervisor, place ...int) State {
	all := s.Status()
	for _, i := range place[:len(place)-1] {
		all = all[i].Children
	}
	return all[place[len(place)-1]].State
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestCommands(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		slow := func(ctx context.Context) error { <-ctx.Done(); <-time.After(time.Second); return ctx.Err() }
		s := Supervisor{OnEvent: events.add, Strategy: OneForAll, Limit: Limit{Restarts: 1}, Children: []Child{{Name: "a", Serve: slow}, idle("b")}}
		stop := serveAside(t, &s)
		must(t, s.StartChild(t.Context(), "a")) // it runs
		must(t, s.StopChild(t.Context(), "a"))
		if got := stateOf(&s, 0); got != StateStopped {
			t.Errorf("state = %v", got)
		}
		must(t, s.StopChild(t.Context(), "a")) // it is down
		<-time.After(time.Minute)
		must(t, s.StartChild(t.Context(), "a"))
		for range 3 {
			must(t, s.RestartChild(t.Context(), "a"))
		}
		must(t, s.StopChild(t.Context(), "b"))
		must(t, s.RestartChild(t.Context(), "b"))
		if err := stop(); err != context.Canceled {
			t.Error(err)
		}
		same(t, "a", events.of("a"), []string{"0.0 a starting", "1.0 a stopped shutdown", "61.0 a restarting 0",
			"62.0 a stopped shutdown", "62.0 a restarting 0", "63.0 a stopped shutdown", "63.0 a restarting 0",
			"64.0 a stopped shutdown", "64.0 a restarting 0", "65.0 a stopped shutdown"})
		same(t, "b", events.of("b"), []string{"0.0 b starting", "64.0 b stopped shutdown", "64.0 b restarting 0", "64.0 b stopped shutdown"})
		if got := s.Status()[0].Restarts; got[Shutdown] != 4 || len(got) != 1 {
			t.Errorf("restarts = %v", got)
		}
	})
}

// Serve goes on waiting for a child that an operator stopped, but not for one that ended; both can be brought back.
func TestStoppedIsNotDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := Supervisor{Children: []Child{
			{Name: "a", Serve: inTurn(func() error { <-time.After(time.Minute); return nil }, ends)},
			{Name: "ends", Serve: inTurn(ends, ends)},
			{Name: "given up", Policy: Temporary, Serve: inTurn(broken, ends)},
		}}
		done := make(chan error, 1)
		go func() { done <- s.Serve(t.Context()) }()
		synctest.Wait()
		must(t, s.StopChild(t.Context(), "ends"))
		if got := stateOf(&s, 1); got != StateEnded {
			t.Errorf("state = %v, want it to stay", got)
		}
		must(t, s.StartChild(t.Context(), "ends"))
		must(t, s.RestartChild(t.Context(), "given up"))
		synctest.Wait()
		if all := s.Status(); all[1].Starts != 2 || all[2].Starts != 2 || all[2].State != StateEnded {
			t.Errorf("status = %+v", all)
		}
		s.StopChild(t.Context(), "a") // it is abandoned
		<-time.After(time.Hour)
		select {
		case err := <-done:
			t.Fatalf("Serve returned %v", err)
		default:
		}
		must(t, s.StartChild(t.Context(), "a"))
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestCommandsWhileBackingOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{OnEvent: events.add, Children: []Child{
			{Name: "a", Backoff: Fixed(time.Hour), Serve: inTurn(broken, broken)},
			{Name: "b", Backoff: Fixed(time.Hour), Serve: inTurn(broken)},
		}}
		stop := serveAside(t, &s)
		must(t, s.StartChild(t.Context(), "a"))
		synctest.Wait()
		must(t, s.RestartChild(t.Context(), "a"))
		must(t, s.StopChild(t.Context(), "b"))
		<-time.After(2 * time.Hour)
		if got := stateOf(&s, 1); got != StateStopped {
			t.Errorf("state = %v", got)
		}
		_ = stop()
		same(t, "a", events.of("a"), []string{"0.0 a starting", "0.0 a fault error", "0.0 a backing off 1 1h0m0s",
			"0.0 a restarting 0", "0.0 a fault error", "0.0 a backing off 1 1h0m0s", "0.0 a restarting 0", "7200.0 a stopped shutdown"})
	})
}

func TestCommandsWhileSiblingsRestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := trio(OneForAll, events)
		s.Children = append(s.Children, Child{Name: "down", Serve: inTurn(ends)})
		stop := serveAside(t, s)
		<-time.After(1150 * ms) // a is stopping, c has stopped
		must(t, s.StopChild(t.Context(), "c"))
		must(t, s.StartChild(t.Context(), "down"))
		must(t, s.RestartChild(t.Context(), "a"))
		_ = stop()
		same(t, "events", events.all()[7:13], []string{"1.1 c stopped shutdown", "1.1 c stopped shutdown", "1.2 a stopped shutdown",
			"2.0 a restarting 0", "2.0 b restarting 1", "2.0 down restarting 0"})
	})
}

func TestCommandsDuringRecovery(t *testing.T) {
	for name, c := range map[string]struct {
		command func(s *Supervisor, ctx context.Context, name string) error
		want    string
	}{
		"stop":    {(*Supervisor).StopChild, "4.0 a stopped shutdown"},
		"restart": {(*Supervisor).RestartChild, "4.0 a restarting 0"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				events := newLog()
				s := Supervisor{OnEvent: events.add, Children: []Child{guarded(Transient, func(context.Context, Fault) Decision {
					<-time.After(3 * time.Second)
					return PassUp // the command counts
				})}}
				stop := serveAside(t, &s)
				<-time.After(2 * time.Second)
				must(t, c.command(&s, t.Context(), "a"))
				_ = stop()
				same(t, "events", events.all()[2:3], []string{c.want})
			})
		})
	}
}

// A hanging child is abandoned for a command too; a later command overtakes an earlier one.
func TestOvertakenCommand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		s := Supervisor{Children: []Child{{Name: "a", Serve: hangs(release)}}}
		stop := serveAside(t, &s)
		first := make(chan error, 1)
		go func() { first <- s.RestartChild(t.Context(), "a") }()
		synctest.Wait()
		must(t, s.StopChild(t.Context(), "a"))
		if err := <-first; !errors.Is(err, errOvertaken) {
			t.Errorf("error = %v", err)
		}
		if got := s.Status()[0]; got.State != StateStopped || got.Abandoned != 1 {
			t.Errorf("status = %+v", got)
		}
		wantLeft(t, stop(), context.Canceled, "a")
	})
}

func TestCommandsInNestedGroups(t *testing.T) {
	bubble(t, func(t *testing.T) {
		group := func(names ...string) *Supervisor {
			s := &Supervisor{}
			for _, name := range names {
				s.Children = append(s.Children, idle(name))
			}
			return s
		}
		inner := group("deep", "twin", "back")
		back := group("worker", "twin")
		back.Children = append(back.Children, Child{Name: "inner", Group: inner})
		s := Supervisor{Children: []Child{{Name: "back", Group: back}}}
		if err := s.StopChild(t.Context(), "back"); !errors.Is(err, ErrNotServing) {
			t.Errorf("before Serve: %v", err)
		}
		stop := serveAside(t, &s)
		for name, place := range map[string][]int{
			"worker": {0, 0}, "back/twin": {0, 1}, "back/inner/twin": {0, 2, 1}, "inner/deep": {0, 2, 0}, "inner/back": {0, 2, 2},
		} {
			if name == "inner/deep" || name == "inner/back" {
				name = "back/" + name
			}
			must(t, s.StopChild(t.Context(), name))
			if got := stateOf(&s, place...); got != StateStopped {
				t.Errorf("state of %s = %v", name, got)
			}
		}
		for _, name := range []string{"nobody", "back/nobody", "twin/", ""} {
			if err := s.StartChild(t.Context(), name); !errors.Is(err, ErrNoChild) {
				t.Errorf("%q: error = %v", name, err)
			}
		}
		must(t, s.RestartChild(t.Context(), "back")) // the nearer one, with all in it
		synctest.Wait()
		if got := stateOf(&s, 0, 2, 1); got != StateStarting {
			t.Errorf("state = %v", got)
		}
		must(t, s.StopChild(t.Context(), "back"))
		if err := s.StartChild(t.Context(), "worker"); !errors.Is(err, ErrNotServing) {
			t.Errorf("in a group that is down: %v", err)
		}
		_ = stop()
		if err := s.StartChild(t.Context(), "back"); !errors.Is(err, ErrNotServing) {
			t.Errorf("after Serve: %v", err)
		}
	})
}

func TestAmbiguousName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		one, two := &Supervisor{Children: []Child{idle("twin")}}, &Supervisor{Children: []Child{idle("twin")}}
		s := Supervisor{Children: []Child{{Name: "one", Group: one}, {Name: "two", Group: two}}}
		stop := serveAside(t, &s)
		if err := s.StopChild(t.Context(), "twin"); !errors.Is(err, ErrNoChild) {
			t.Errorf("error = %v", err)
		}
		must(t, s.StopChild(t.Context(), "two/twin"))
		_ = stop()
	})
}

// A command ends with its context and with Serve.
func TestCommandsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		s := Supervisor{Children: []Child{{Name: "a", Serve: hangs(release), StopTimeout: time.Hour}}}
		stop := serveAside(t, &s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.StopChild(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v", err)
		}
		answer := make(chan error, 1)
		go func() { answer <- s.RestartChild(t.Context(), "a") }()
		synctest.Wait()
		var abandoned *AbandonedError
		if err := stop(); !errors.As(err, &abandoned) {
			t.Errorf("error = %v", err)
		}
		if err := <-answer; !errors.Is(err, ErrNotServing) {
			t.Errorf("error = %v", err)
		}
		close(release)
	})
}
