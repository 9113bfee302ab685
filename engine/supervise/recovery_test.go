package supervise

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// guarded fails twice at 1 s intervals, and asks how to go on.
func guarded(policy Policy, recover func(ctx context.Context, f Fault) Decision) Child {
	return Child{Name: "a", Policy: policy, Backoff: Fixed(500 * ms), Recover: recover,
		Serve: inTurn(after(time.Second, broken), after(time.Second, broken))}
}

func TestDecisions(t *testing.T) {
	twice := []string{"1.0 a fault error", "1.0 a backing off 1 500ms", "1.5 a restarting 1",
		"2.5 a fault error", "2.5 a backing off 2 500ms", "3.0 a restarting 2", "9.0 a stopped shutdown"}
	over := []string{"1.0 a fault error", "1.0 a backing off 1 500ms", "1.5 a restarting 1", "2.5 a fault error", "2.5 a escalated error"}
	givenUp := []string{"1.0 a fault error", "1.0 a given up error"}
	for name, c := range map[string]struct {
		policy   Policy
		decision Decision
		want     []string
		sibling  int // restarts
	}{
		"by policy":                {Transient, ByPolicy, over, 1},
		"by policy: temporary":     {Temporary, ByPolicy, givenUp, 0},
		"restart against policy":   {Temporary, Restart, over, 1},
		"ignore":                   {Transient, Ignore, twice, 0},
		"ignore against policy":    {Temporary, Ignore, twice, 0},
		"give up":                  {Permanent, GiveUp, givenUp, 0},
		"pass up":                  {Permanent, PassUp, []string{"1.0 a fault error", "1.0 a escalated error"}, 0},
		"something else by policy": {Temporary, Decision(99), givenUp, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				events := newLog()
				var faults []Fault
				s := Supervisor{OnEvent: events.add, Limit: Limit{Restarts: 1}, Strategy: OneForAll, Children: []Child{
					guarded(c.policy, func(_ context.Context, f Fault) Decision {
						faults = append(faults, f)
						return c.decision
					}), idle("sibling")}}
				if c.policy == Temporary && c.decision == Restart {
					s.Strategy = OneForOne // else it would be given up when stopped
					c.sibling = 0
				}
				err := serveFor(t, &s, 9*time.Second)
				same(t, "events", events.of("a")[1:], c.want)
				if got := events.count("sibling", Restarting); got != c.sibling {
					t.Errorf("sibling restarted %d times, want %d", got, c.sibling)
				}
				var passed *EscalatedError
				if errors.As(err, &passed) != (c.decision == PassUp) {
					t.Errorf("error = %v", err)
				}
				for i, f := range faults {
					if f.Child != "a" || f.Group != "" || f.Reason != Error || f.Err != errBroken || f.Restarts != i || f.Total != uint64(i) || f.Abandoned {
						t.Errorf("fault %d = %+v", i, f)
					}
				}
			})
		})
	}
}

func TestRecoveryThatFails(t *testing.T) {
	var none map[string]int
	for name, c := range map[string]struct {
		recover func(ctx context.Context, f Fault) Decision
		want    string
		at      string
	}{
		"text":     {func(context.Context, Fault) Decision { panic("boom") }, "panic: boom", "1.0"},
		"nil":      {func(context.Context, Fault) Decision { panic(nil) }, "panic called with nil", "1.0"},
		"error":    {func(context.Context, Fault) Decision { panic(errors.New("own")) }, "panic: own", "1.0"},
		"goexit":   {func(context.Context, Fault) Decision { runtime.Goexit(); return Ignore }, "Goexit", "1.0"},
		"nil map":  {func(context.Context, Fault) Decision { none["a"]++; return Ignore }, "nil map", "1.0"},
		"too late": {func(ctx context.Context, _ Fault) Decision { <-ctx.Done(); return Ignore }, "did not return within 2s", "3.0"},
		"hangs":    {func(context.Context, Fault) Decision { <-time.After(time.Hour); return Ignore }, "did not return within 2s", "3.0"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				events := newLog()
				child := guarded(Transient, c.recover)
				child.RecoverTimeout = 2 * time.Second
				s := Supervisor{OnEvent: events.add, Children: []Child{child}}
				err := s.Serve(t.Context())
				<-time.After(2 * time.Hour) // the one that hangs ends, too
				var passed *EscalatedError
				if !errors.As(err, &passed) || !errors.Is(err, errBroken) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error = %v, want both failures", err)
				}
				same(t, "events", events.all(), []string{"0.0 a starting", "1.0 a fault error", c.at + " a recovery failed", c.at + " a escalated error"})
				if got := s.Status()[0]; got.RecoveryFailures != 1 || got.State != StateEscalated {
					t.Errorf("status = %+v", got)
				}
			})
		})
	}
}

// Who is not asked: a normal end, a shutdown, a fatal error. Who is: one that escalates.
func TestWhenRecoveryIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		how   func() error
		asked int
	}{
		"normal":    {ends, 0},
		"shutdown":  {nil, 0},
		"fatal":     {func() error { return Fatal(errBroken) }, 0},
		"escalated": {func() error { return Escalate(errBroken) }, 1},
		"panic":     {func() error { panic("boom") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				asked := 0
				child := Child{Name: "a", Serve: untilDone, Recover: func(context.Context, Fault) Decision { asked++; return GiveUp }}
				if c.how != nil {
					child.Serve = inTurn(c.how)
				}
				_ = serveFor(t, &Supervisor{Children: []Child{child}}, time.Minute)
				if asked != c.asked {
					t.Errorf("asked %d times, want %d", asked, c.asked)
				}
			})
		})
	}
}

// The manager does not wait for a slow recovery function: siblings go on, fail and restart.
func TestRecoveryHoldsUpNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{OnEvent: events.add, Children: []Child{
			guarded(Transient, func(context.Context, Fault) Decision { <-time.After(4 * time.Second); return GiveUp }),
			{Name: "b", Serve: inTurn(after(2*time.Second, broken)), Backoff: Fixed(time.Second)},
		}}
		_ = serveFor(t, &s, 9*time.Second)
		same(t, "events", events.all()[2:7], []string{"1.0 a fault error", "2.0 b fault error", "2.0 b backing off 1 1s", "3.0 b restarting 1", "5.0 a given up error"})
	})
}

// When the group stops, the recovery function's context ends, and it is waited for, but not beyond its timeout.
func TestShutdownDuringRecovery(t *testing.T) {
	for name, c := range map[string]struct {
		recover func(ctx context.Context, f Fault) Decision
		at      time.Duration
	}{
		"obeys":  {func(ctx context.Context, _ Fault) Decision { <-ctx.Done(); return PassUp }, 2 * time.Second},
		"slow":   {func(context.Context, Fault) Decision { <-time.After(3 * time.Second); return PassUp }, 4 * time.Second},
		"hangs":  {func(context.Context, Fault) Decision { <-time.After(time.Hour); return PassUp }, 6 * time.Second},
		"panics": {func(ctx context.Context, _ Fault) Decision { <-ctx.Done(); panic("boom") }, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				start := time.Now()
				s := Supervisor{Children: []Child{guarded(Transient, c.recover)}}
				if err := serveFor(t, &s, 2*time.Second); err != context.DeadlineExceeded {
					t.Errorf("error = %v", err)
				}
				if took := time.Since(start); took != c.at {
					t.Errorf("took %v, want %v", took, c.at)
				}
				<-time.After(2 * time.Hour) // the one that hangs ends, too
			})
		})
	}
}

// A child that waits for its recovery function takes part in its siblings' restart.
func TestRecoveryAndSiblings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{OnEvent: events.add, Strategy: OneForAll, Children: []Child{
			guarded(Transient, func(context.Context, Fault) Decision { <-time.After(3 * time.Second); return ByPolicy }),
			{Name: "b", Serve: inTurn(after(2*time.Second, broken)), Backoff: Fixed(500 * ms)},
		}}
		_ = serveFor(t, &s, 5*time.Second)
		same(t, "events", events.all()[2:8], []string{"1.0 a fault error", "2.0 b fault error", "2.0 b backing off 1 500ms",
			"4.0 a backing off 1 500ms", "4.5 a restarting 1", "4.5 b restarting 1"})
	})
}

// The decision comes later than a sibling's failure before it: both restart, the sibling is not forgotten.
func TestDecisionJoinsAnEarlierSibling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{OnEvent: events.add, Strategy: RestForOne, Children: []Child{
			{Name: "b", Serve: inTurn(after(2*time.Second, broken)), Backoff: Fixed(5 * time.Second)},
			guarded(Transient, func(context.Context, Fault) Decision { <-time.After(3 * time.Second); return ByPolicy }),
		}}
		_ = serveFor(t, &s, 7500*ms)
		same(t, "events", events.all()[2:8], []string{"1.0 a fault error", "2.0 b fault error", "2.0 b backing off 1 5s",
			"4.0 a backing off 1 500ms", "7.0 b restarting 1", "7.0 a restarting 1"})
	})
}
