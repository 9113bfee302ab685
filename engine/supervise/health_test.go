package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// answers is a probe that gives one answer after the other, and is well when they are used up.
func answers(all ...Health) func(context.Context) Health {
	return func(context.Context) Health {
		if len(all) == 0 {
			return Well()
		}
		first := all[0]
		all = all[1:]
		return first
	}
}

// checked is a child that is checked each second.
func checked(probe func(context.Context) Health) Child {
	return Child{Name: "a", Serve: untilDone, Backoff: Fixed(500 * ms), Checks: []Check{{Probe: probe, Interval: time.Second, Timeout: 5 * time.Second}}}
}

func TestChecks(t *testing.T) {
	bad := Unwell("no disk")
	for name, c := range map[string]struct {
		answers []Health
		want    []string // health, and what follows
	}{
		"three in a row": {[]Health{bad, bad, bad}, []string{"1.0 a health unhealthy: no disk",
			"3.0 a stopped for it", "3.0 a fault unhealthy", "3.0 a backing off 1 500ms", "3.5 a restarting 1"}},
		"three, but not in a row": {[]Health{bad, bad, Well(), bad, bad}, []string{"1.0 a health unhealthy: no disk",
			"3.0 a health healthy", "4.0 a health unhealthy: no disk", "6.0 a health healthy"}},
		"degraded breaks a run": {[]Health{bad, bad, Degraded("slow disk"), bad, bad}, []string{"1.0 a health unhealthy: no disk",
			"3.0 a health degraded: slow disk", "4.0 a health unhealthy: no disk", "6.0 a health healthy"}},
		"degraded never restarts": {slices.Repeat([]Health{Degraded("slow disk")}, 9), []string{"1.0 a health degraded: slow disk"}},
		"a run after a pause": {[]Health{bad, Well(), bad, bad, bad}, []string{"1.0 a health unhealthy: no disk", "2.0 a health healthy",
			"3.0 a health unhealthy: no disk", "5.0 a stopped for it", "5.0 a fault unhealthy", "5.0 a backing off 1 500ms", "5.5 a restarting 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				events := newLog()
				child := checked(answers(c.answers...))
				child.Serve = func(ctx context.Context) error {
					<-ctx.Done()
					var sick *UnhealthyError
					if errors.As(context.Cause(ctx), &sick) {
						if sick.Check != "health" || sick.Failures != 3 || sick.Reason != "no disk" {
							t.Errorf("cause = %+v", sick)
						}
						return nil // whatever it returns
					}
					return ctx.Err()
				}
				_ = serveFor(t, &Supervisor{OnEvent: events.add, Children: []Child{child}}, 9500*ms)
				want := slices.DeleteFunc(slices.Clone(c.want), func(line string) bool { return strings.HasSuffix(line, "for it") })
				got := events.all()
				same(t, "events", got[1:len(got)-1], want)
			})
		})
	}
}

func TestProbesThatDoNotAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		probe    func(ctx context.Context) Health
		fault    string // when, with intervals of 1 s and a timeout of 5 s
		contains string
	}{
		"panic":    {func(context.Context) Health { panic("boom") }, "3.0 a fault unhealthy", "panic: boom"},
		"too late": {func(context.Context) Health { <-time.After(5500 * ms); return Well() }, "18.0 a fault unhealthy", "no answer within 5s"},
		"gives up": {func(ctx context.Context) Health { <-ctx.Done(); return Well() }, "18.0 a fault unhealthy", "no answer within 5s"},
		"hangs":    {func(context.Context) Health { <-time.After(time.Minute); return Well() }, "8.0 a fault unhealthy", "the probe does not return"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				events := newLog()
				var failure error
				s := Supervisor{Children: []Child{checked(c.probe)}, OnEvent: func(e Event) {
					events.add(e)
					if e.Kind == Failed && failure == nil {
						failure = e.Err
					}
				}}
				_ = serveFor(t, &s, 20*time.Second)
				<-time.After(2 * time.Minute) // the one that hangs ends, too
				if !slices.Contains(events.all(), c.fault) || events.count("a", HealthChanged) == 0 {
					t.Errorf("events %q, want %q", events.all(), c.fault)
				}
				var sick *UnhealthyError
				if !errors.As(failure, &sick) || !strings.Contains(sick.Reason, c.contains) {
					t.Errorf("failure = %v, want %q in it", failure, c.contains)
				}
			})
		})
	}
}

// One probe at a time, also when it takes longer than the interval; that is no failure as long as it is in time.
func TestSlowProbe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var running, calls atomic.Int32
		events := newLog()
		s := Supervisor{OnEvent: events.add, Children: []Child{checked(func(context.Context) Health {
			if running.Add(1) > 1 {
				t.Error("two probes at a time")
			}
			defer running.Add(-1)
			calls.Add(1)
			<-time.After(4500 * ms)
			return Well()
		})}}
		_ = serveFor(t, &s, time.Minute)
		if events.count("a", Failed)+events.count("a", HealthChanged) != 0 || calls.Load() != 12 {
			t.Errorf("%d calls, events %q", calls.Load(), events.all())
		}
	})
}

// Serve does not return while a probe runs that may still answer in time.
func TestServeWaitsForProbes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		returned := false
		s := Supervisor{Children: []Child{checked(func(context.Context) Health {
			<-time.After(3 * time.Second)
			returned = true
			return Well()
		})}}
		if err := serveFor(t, &s, 1500*ms); err != context.DeadlineExceeded || !returned {
			t.Errorf("error = %v, probe has returned: %v", err, returned)
		}
	})
}

func TestFirstProbeComesAfterRunning(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		child := checked(answers(Unwell("x")))
		child.Checks[0] = Check{Probe: child.Checks[0].Probe} // with all defaults
		child.Serve = func(ctx context.Context) error {
			<-time.After(7 * time.Second)
			Running(ctx)
			Running(ctx)
			return untilDone(ctx)
		}
		_ = serveFor(t, &Supervisor{OnEvent: events.add, Children: []Child{child}}, time.Minute)
		same(t, "events", events.all(), []string{"0.0 a starting", "7.0 a running", "17.0 a health unhealthy: x", "27.0 a health healthy", "60.0 a stopped shutdown"})
	})
}

// A child that hangs is left behind, and its next life runs beside it.
func TestHangingChildIsAbandoned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		var lives, asked atomic.Int32
		events := newLog()
		child := checked(nil)
		child.StopTimeout = 3 * time.Second
		child.Abandon = func() bool { return asked.Add(1) == 3 }
		child.Serve = func(ctx context.Context) error {
			if lives.Add(1) == 1 {
				<-release
				Running(ctx) // has no effect any more
				return Fatal(errBroken)
			}
			return untilDone(ctx)
		}
		child.Checks[0].Probe = func(context.Context) Health {
			if lives.Load() == 1 {
				return Unwell("stands still")
			}
			return Well()
		}
		child.Recover = func(_ context.Context, f Fault) Decision {
			if !f.Abandoned || f.Reason != Unhealthy {
				t.Errorf("fault = %+v", f)
			}
			return ByPolicy
		}
		s := Supervisor{OnEvent: events.add, Children: []Child{child}}
		go func() { <-time.After(10 * time.Second); close(release) }()
		if err := serveFor(t, &s, 20*time.Second); err != context.DeadlineExceeded {
			t.Error(err)
		}
		same(t, "events", events.all(), []string{"0.0 a starting", "1.0 a health unhealthy: stands still",
			"8.0 a abandoned", "8.0 a fault unhealthy", "8.0 a backing off 1 500ms", "8.5 a restarting 1", "20.0 a stopped shutdown"})
		if got := s.Status()[0]; got.Abandoned != 1 || got.Starts != 2 || got.Restarts[Unhealthy] != 1 {
			t.Errorf("status = %+v", got)
		}
	})
}

// What Serve says on the way out is not lost, but the reason stays.
func TestUnhealthyChildFailsOnItsWayOut(t *testing.T) {
	for name, c := range map[string]struct {
		says error
		want string
	}{
		"another failure": {errBroken, `child "a" failed 2 times within 1m0s (limit 1): unhealthy: check "health" failed 3 times: x; then: broken`},
		"escalates":       {Escalate(errBroken), `child "a" escalated: unhealthy: check "health" failed 3 times: x; then: broken`},
		"fatal":           {Fatal(errBroken), `a: broken`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				child := checked(func(context.Context) Health { return Unwell("x") })
				child.Serve = func(ctx context.Context) error { <-ctx.Done(); return c.says }
				err := (&Supervisor{Limit: Limit{Restarts: 1}, Children: []Child{child}}).Serve(t.Context())
				if err == nil || err.Error() != c.want {
					t.Errorf("error = %v, want %s", err, c.want)
				}
			})
		})
	}
}

// It stays unhealthy when its group begins to close before it has stopped, and its escalation is heard.
func TestUnhealthyChildEscalatesInAShutdown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		child := checked(func(context.Context) Health { return Unwell("x") })
		child.Serve = func(ctx context.Context) error {
			<-ctx.Done()
			<-time.After(2 * time.Second)
			return Escalate(errBroken)
		}
		s := Supervisor{OnEvent: events.add, Children: []Child{child}}
		err := serveFor(t, &s, 4*time.Second)
		same(t, "events", events.of("a")[2:], []string{"5.0 a fault unhealthy", "5.0 a escalated unhealthy"})
		var unhealthy *UnhealthyError
		if !errors.As(err, &unhealthy) || !errors.Is(err, errBroken) || !errors.As(s.Status()[0].LastFault, &unhealthy) {
			t.Errorf("error = %v", err)
		}
	})
}

// The cause of an unhealthy child is the *UnhealthyError itself; that of a sibling stopped for its escalation only wraps it.
func TestUnhealthyIsTheCauseItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		causes := map[string]error{}
		child := checked(func(context.Context) Health { return Unwell("x") })
		child.Serve = func(ctx context.Context) error {
			<-ctx.Done()
			causes["a"] = context.Cause(ctx)
			return Escalate(errBroken)
		}
		sibling := Child{Name: "b", Serve: func(ctx context.Context) error { <-ctx.Done(); causes["b"] = context.Cause(ctx); return nil }}
		_ = (&Supervisor{Children: []Child{child, sibling}}).Serve(t.Context())
		for name, want := range map[string]bool{"a": true, "b": false} {
			var wrapped *UnhealthyError
			if _, is := causes[name].(*UnhealthyError); is != want || !errors.As(causes[name], &wrapped) {
				t.Errorf("%s: cause = %v, the *UnhealthyError itself: %v, want %v", name, causes[name], is, want)
			}
		}
	})
}

// The status shows the worst of several checks, and a group can be checked too.
func TestSeveralChecksOfAGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		cold := answers(Degraded("cold"), Degraded("cold"))
		child := checked(func(ctx context.Context) Health { <-time.After(100 * ms); return cold(ctx) }) // after the other one
		child.Checks = append(child.Checks, Check{Name: "door", Interval: time.Second, Probe: answers(Well(), Unwell("open"), Well(), Unwell("a"), Unwell("b"), Unwell("c"))})
		child.Serve, child.Group = nil, &Supervisor{Children: []Child{idle("in")}}
		s := Supervisor{Children: []Child{child}}
		var seen []string
		s.OnEvent = func(e Event) {
			events.add(e)
			if e.Kind == HealthChanged {
				seen = append(seen, fmt.Sprint(s.Status()[0].Health))
			}
		}
		_ = serveFor(t, &s, 8*time.Second)
		same(t, "status", seen, []string{"degraded: cold", "unhealthy: open", "degraded: cold", "healthy", "unhealthy: a"})
		same(t, "in", events.of("in"), []string{"0.0 a/in starting", "6.0 a/in stopped shutdown", "6.5 a/in starting", "8.0 a/in stopped shutdown"})
	})
}
