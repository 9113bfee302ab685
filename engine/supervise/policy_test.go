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

func TestNames(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fmt.Stringer]string{
		Temporary: "temporary", Policy(9): "policy 9",
		Shutdown: "shutdown", Reason(9): "reason 9",
		RestForOne: "rest_for_one", Strategy(9): "strategy 9",
		Up: "running", Failed: "fault", RecoveryFailed: "recovery failed",
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
