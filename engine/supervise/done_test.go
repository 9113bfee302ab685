package supervise

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// An end for good is one whatever the policy and the siblings say.
func TestDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{OnEvent: events.add, Strategy: OneForAll, Children: []Child{
			{Name: "a", Policy: Permanent, Serve: inTurn(func() error { return fmt.Errorf("all read: %w", ErrDone) })},
			{Name: "b", Serve: inTurn(after(time.Second, broken), ends), Backoff: Fixed(time.Second)},
			{Name: "c", Serve: func(ctx context.Context) error { <-ctx.Done(); return ErrDone }},
		}}
		if err := s.Serve(t.Context()); err != nil {
			t.Error(err)
		}
		same(t, "a", events.of("a"), []string{"0.0 a starting", "0.0 a stopped normal"})
		same(t, "c", events.of("c"), []string{"0.0 c starting", "1.0 c stopped normal"})
	})
}
