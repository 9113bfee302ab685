package supervise

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAbandonAtShutdown(t *testing.T) {
	for name, c := range map[string]struct{ timeout, want time.Duration }{
		"default": {0, 5 * time.Second},
		"shorter": {time.Second, time.Second},
		"at once": {-1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				release := make(chan struct{})
				events := newLog()
				back := &Supervisor{Children: []Child{{Name: "worker", Serve: hangs(release), StopTimeout: c.timeout}}}
				s := Supervisor{OnEvent: events.add, Children: []Child{
					{Name: "first", Serve: hangs(release), StopTimeout: c.timeout},
					{Name: "ended", Serve: inTurn(ends)},
					{Name: "back", Group: back},
				}}
				ctx, cancel := context.WithCancel(t.Context())
				go func() { synctest.Wait(); cancel() }()
				err := s.Serve(ctx)
				var abandoned *AbandonedError
				if !errors.As(err, &abandoned) || !slices.Equal(abandoned.Children, []string{"first", "back/worker"}) {
					t.Fatalf("error = %v", err)
				}
				if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "first, back/worker") {
					t.Errorf("error = %v, want both names and %v", err, context.Canceled)
				}
				if took := time.Since(events.start); took != 2*c.want {
					t.Errorf("took %v, want %v for each", took, c.want)
				}
				before := len(events.events)
				close(release)
				synctest.Wait()
				if len(events.events) != before {
					t.Errorf("events after Serve returned: %+v", events.events[before:])
				}
			})
		})
	}
}

func TestAbandonAfterFatal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		s := Supervisor{Children: []Child{{Name: "back", Group: &Supervisor{Children: []Child{
			{Name: "hangs", Serve: hangs(release)},
			{Name: "fails", Serve: inTurn(func() error { return Fatal(errBroken) })},
		}}}}}
		err := s.Serve(t.Context())
		var abandoned *AbandonedError
		if !errors.As(err, &abandoned) || !IsFatal(err) || abandoned.Cause.Error() != "back: fails: broken" || abandoned.Children[0] != "back/hangs" {
			t.Errorf("error = %v", err)
		}
		close(release)
	})
}

// At the very moment when waiting ends, a child that has ended is not called abandoned.
func TestLastMoment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := Supervisor{Children: []Child{{Name: "slow", StopTimeout: time.Second}}}
		s.Children[0].Serve = func(ctx context.Context) error {
			<-ctx.Done()
			<-time.After(time.Second - time.Nanosecond)
			return nil
		}
		if err := serveFor(t, &s, time.Second); err != context.DeadlineExceeded {
			t.Errorf("error = %v", err)
		}
	})
}

func wantLeft(t *testing.T, err, cause error, names ...string) {
	t.Helper()
	left, ok := err.(*AbandonedError)
	if !ok || left.Cause != cause || !slices.Equal(left.Children, names) {
		t.Fatalf("error = %v, want %q and the cause %v", err, names, cause)
	}
}

// leaving is a group that ends normally and leaves a goroutine behind: its child hangs when a nested group escalates, and
// that is given up.
func leaving(release <-chan struct{}) *Supervisor {
	inner := &Supervisor{Children: []Child{
		{Name: "hangs", Serve: hangs(release)},
		{Name: "escalates", Serve: inTurn(func() error { return Escalate(errBroken) })},
	}}
	return &Supervisor{Children: []Child{{Name: "inner", Group: inner, Policy: Temporary}}}
}

// Who was left behind is not forgotten when the group ends normally.
func TestLeftBehindByAnEndedGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		s := Supervisor{Children: []Child{{Name: "back", Group: leaving(release)}, idle("other")}}
		wantLeft(t, serveFor(t, &s, time.Minute), context.DeadlineExceeded, "back/inner/hangs")
	})
}

// All have ended for good, but one still runs: that is not nil.
func TestLeftBehindAtANormalEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		err := (&Supervisor{Children: []Child{{Name: "back", Group: leaving(release)}}}).Serve(t.Context())
		wantLeft(t, err, nil, "back/inner/hangs")
		if errors.Unwrap(err) != nil || strings.Contains(err.Error(), "nil") {
			t.Errorf("error = %v", err)
		}
	})
}

// Neither who came back is named nor who has a next life, however often it was left behind, unless that hangs as well.
func TestWhoIsStillLeftBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release, soon := make(chan struct{}), make(chan struct{})
		defer close(release)
		sick := []Check{{Interval: time.Second, Threshold: 1, Probe: func(context.Context) Health { return Unwell("x") }}}
		hung := func(name string, policy Policy, release <-chan struct{}) Child {
			return Child{Name: name, Serve: hangs(release), Policy: policy, StopTimeout: time.Second, Checks: sick, Limit: &Limit{Restarts: -1}}
		}
		s := Supervisor{Children: []Child{hung("often", Transient, release), hung("once", Temporary, release),
			hung("returns", Temporary, soon), hung("replaced", Transient, release)}}
		var lives atomic.Int32
		s.Children[3].Serve = func(context.Context) error {
			if lives.Add(1) == 1 {
				<-release
			}
			return nil
		}
		go func() { <-time.After(10 * time.Second); close(soon) }()
		wantLeft(t, serveFor(t, &s, time.Minute), context.DeadlineExceeded, "often", "once")
		for i, got := range s.Status() {
			if got.Abandoned == 0 || i == 0 && got.Abandoned < 2 {
				t.Errorf("status = %+v", got)
			}
		}
	})
}
