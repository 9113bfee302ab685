package supervise

import (
	"context"
	"errors"
	"slices"
	"strings"
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
