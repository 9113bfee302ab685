package supervise

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestStatus(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		slow := func(ctx context.Context) error { Running(ctx); <-ctx.Done(); <-time.After(time.Second); return nil }
		s := Supervisor{Children: []Child{
			{Name: "slow", Policy: Permanent, Serve: slow},
			idle("says nothing"),
			{Name: "waits", Serve: inTurn(broken), Backoff: Fixed(time.Minute)},
			{Name: "ended", Serve: inTurn(ends)},
			{Name: "given up", Policy: Temporary, Serve: inTurn(broken)},
			{Name: "back", Group: &Supervisor{Strategy: RestForOne, Children: []Child{idle("worker")}}},
		}}
		for _, c := range s.Status() {
			if c.State != StateStopped || c.Starts != 0 || !c.Since.IsZero() {
				t.Errorf("before Serve: %+v", c)
			}
		}
		stop := serveAside(t, &s)
		want := []State{StateRunning, StateStarting, StateBackingOff, StateEnded, StateGivenUp, StateRunning}
		for i, c := range s.Status() {
			if c.Name != s.Children[i].Name || c.Policy != s.Children[i].Policy || c.State != want[i] || !c.Since.Equal(start) || c.Starts != 1 || !c.Started.Equal(start) {
				t.Errorf("status = %+v, want %v", c, want[i])
			}
			if failed := c.LastFault == errBroken; failed != (c.Name == "waits" || c.Name == "given up") {
				t.Errorf("last fault of %s = %v", c.Name, c.LastFault)
			}
		}
		back := s.Status()[5]
		if !back.IsGroup || back.Strategy != RestForOne || len(back.Children) != 1 || back.Children[0].Name != "worker" {
			t.Errorf("group = %+v", back)
		}
		<-time.After(61 * time.Second)
		waits := s.Status()[2]
		if waits.State != StateStarting || waits.Restarts[Error] != 1 || waits.Starts != 2 || waits.Started.Sub(start) != time.Minute {
			t.Errorf("after its restart: %+v", waits)
		}
		waits.Restarts[Error] = 99 // a snapshot
		go func() { _ = stop() }()
		synctest.Wait()
		if got := s.Status(); got[0].State != StateStopping || got[2].State != StateStopped || got[2].Restarts[Error] != 1 {
			t.Errorf("when stopping: %+v", got)
		}
		<-time.After(time.Minute)
		if got := stateOf(&s, 0); got != StateStopped {
			t.Errorf("after Serve: %v", got)
		}
	})
}

// Status is asked by others while everything changes; the race detector judges.
func TestStatusFromAnywhere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	events := make(chan struct{})
	s := Supervisor{Limit: Limit{Restarts: -1}, OnEvent: func(Event) {
		select {
		case events <- struct{}{}:
		case <-ctx.Done():
		}
	}, Children: []Child{
		{Name: "a", Backoff: Immediate(), Serve: func(context.Context) error { return errBroken }},
		{Name: "back", Group: &Supervisor{Children: []Child{
			{Name: "b", Policy: Permanent, Backoff: Immediate(), Serve: func(context.Context) error { return nil }}}}},
	}}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	for range 1000 {
		<-events
		s.Status()
	}
	cancel()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
}

func TestRunningElsewhere(t *testing.T) {
	t.Parallel()
	Running(t.Context())
}
