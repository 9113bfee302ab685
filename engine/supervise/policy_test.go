package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

// Each policy meets each reason, through a real supervisor.
func TestPolicies(t *testing.T) {
	ways := map[Reason]func() error{
		Normal:    ends,
		Error:     broken,
		Panic:     func() error { panic("boom") },
		Unhealthy: nil, // by its check
		Shutdown:  nil, // by a sibling
	}
	for policy, restarts := range map[Policy][]bool{ // normal, error, panic, unhealthy, shutdown
		Transient: {false, true, true, true, false},
		Permanent: {true, true, true, true, false},
		Temporary: {false, false, false, false, false},
	} {
		for reason, how := range ways {
			t.Run(fmt.Sprint(policy, " ", reason), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					var end ChildEnd
					events := newLog()
					c := Child{Name: "a", Policy: policy, Backoff: Fixed(time.Second)}
					switch reason {
					case Unhealthy:
						c.Serve = untilDone
						sick := 3
						c.Checks = []Check{{Interval: time.Second, Probe: func(context.Context) Health {
							if sick--; sick >= 0 {
								return Unwell("no")
							}
							return Well()
						}}}
					case Shutdown:
						c.Serve = untilDone
					default:
						c.Serve = inTurn(how)
					}
					s := Supervisor{OnEvent: events.add, Children: []Child{c, idle("keeps it going")}, OnChildEnd: func(e ChildEnd) {
						if e.Child == "a" && end.Child == "" {
							end = e
						}
					}}
					_ = serveFor(t, &s, 10*time.Second)
					want := restarts[reason]
					if got := policy.Restarts(reason); got != want {
						t.Errorf("Restarts = %v, want %v", got, want)
					}
					if got := events.count("a", Restarting); (got == 1) != want || got > 1 {
						t.Errorf("%d restarts, want them: %v\n%q", got, want, events.all())
					}
					if end.Reason != reason || end.Policy != policy || end.Restarting != want {
						t.Errorf("end = %+v", end)
					}
					isGivenUp := !want && reason != Normal && reason != Shutdown
					if got := events.count("a", GivenUp); (got == 1) != isGivenUp {
						t.Errorf("given up %d times, want it: %v", got, isGivenUp)
					}
				})
			})
		}
	}
}

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

func TestReasonOf(t *testing.T) {
	t.Parallel()
	panicked := &PanicError{Value: "boom"}
	for _, c := range []struct {
		err  error
		want Reason
	}{
		{nil, Normal},
		{io.EOF, Error},
		{context.Canceled, Error},
		{fmt.Errorf("a: %w", panicked), Panic},
		{errors.Join(io.EOF, panicked), Panic},
		{fmt.Errorf("a: %w", &UnhealthyError{}), Unhealthy},
		{Uncounted(panicked), Panic},
		{&LimitError{Cause: panicked}, Error},
		{&EscalatedError{Cause: panicked}, Error},
	} {
		if got := ReasonOf(c.err); got != c.want {
			t.Errorf("reason of %v = %v, want %v", c.err, got, c.want)
		}
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mark func(error) error
		is   func(error) bool
	}{"fatal": {Fatal, IsFatal}, "escalate": {Escalate, IsEscalated}, "uncounted": {Uncounted, IsUncounted}} {
		if c.mark(nil) != nil || c.is(nil) || c.is(errBroken) {
			t.Errorf("%s: marked without a reason", name)
		}
		if err := c.mark(errBroken); err.Error() != errBroken.Error() || !errors.Is(err, errBroken) || !c.is(fmt.Errorf("a: %w", err)) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fmt.Stringer]string{
		Temporary: "temporary", Policy(9): "policy 9",
		Shutdown: "shutdown", Reason(9): "reason 9",
		RestForOne: "rest_for_one", Strategy(9): "strategy 9",
		Up: "running", Failed: "fault", RecoveryFailed: "recovery failed", EventKind(99): "event kind 99",
		StateEscalated: "escalated", State(99): "state 99",
		PassUp: "pass up", Decision(9): "decision 9",
		LevelUnhealthy: "unhealthy", Level(9): "level 9",
		Well(): "healthy", Degraded("cold"): "degraded: cold",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%T is called %q, want %q", kind, got, want)
		}
	}
}
