package supervise

import (
	"context"
	"io"
	"testing"
	"time"
)

// trio is three children of which the middle one fails after 1 s, and again after 1 s if it is started before that.
func trio(strategy Strategy, events *log) *Supervisor {
	stops := func(ctx context.Context) error { <-ctx.Done(); <-time.After(100 * ms); return nil }
	return &Supervisor{Strategy: strategy, OnEvent: events.add, Children: []Child{
		{Name: "a", Serve: stops},
		{Name: "b", Serve: inTurn(after(time.Second, broken)), Backoff: Fixed(time.Second)},
		{Name: "c", Serve: stops},
	}}
}

func TestStrategies(t *testing.T) {
	start := []string{"0.0 a starting", "0.0 b starting", "0.0 c starting", "1.0 b fault error", "1.0 b backing off 1 1s"}
	stop := []string{"9.1 c stopped shutdown", "9.1 b stopped shutdown", "9.2 a stopped shutdown"}
	for strategy, want := range map[Strategy][]string{
		OneForOne:  {"2.0 b restarting 1"},
		OneForAll:  {"1.1 c stopped shutdown", "1.2 a stopped shutdown", "2.0 a restarting 0", "2.0 b restarting 1", "2.0 c restarting 0"},
		RestForOne: {"1.1 c stopped shutdown", "2.0 b restarting 1", "2.0 c restarting 0"},
	} {
		t.Run(strategy.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				events := newLog()
				s := trio(strategy, events)
				if err := serveFor(t, s, 9*time.Second); err != context.DeadlineExceeded {
					t.Error(err)
				}
				same(t, "events", events.all(), append(append(append([]string(nil), start...), want...), stop...))
				for _, c := range s.Status() {
					if n := c.Restarts[Error]; n > 1 || (n == 1) != (c.Name == "b") {
						t.Errorf("restarts of %s = %v", c.Name, c.Restarts)
					}
				}
			})
		})
	}
}

// Stops take longer than the delay: nothing is started before all have stopped.
func TestAllStopsBeforeAnyStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := trio(OneForAll, events)
		s.Children[1].Backoff = Immediate()
		_ = serveFor(t, s, 5*time.Second)
		same(t, "events", events.all()[5:10], []string{"1.1 c stopped shutdown", "1.2 a stopped shutdown",
			"1.2 a restarting 0", "1.2 b restarting 1", "1.2 c restarting 0"})
	})
}

// A failure before the restart that another waits for takes it in: more children, the later time.
func TestFailuresMerge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{Strategy: RestForOne, OnEvent: events.add, Children: []Child{
			idle("a"),
			{Name: "b", Serve: inTurn(after(1500*ms, broken)), Backoff: Fixed(2 * time.Second)},
			{Name: "c", Serve: inTurn(after(1*time.Second, broken)), Backoff: Fixed(time.Second)},
			idle("d"),
		}}
		_ = serveFor(t, &s, 9*time.Second)
		same(t, "events", events.all()[4:12], []string{
			"1.0 c fault error", "1.0 c backing off 1 1s", "1.0 d stopped shutdown",
			"1.5 b fault error", "1.5 b backing off 1 2s",
			"3.5 b restarting 1", "3.5 c restarting 1", "3.5 d restarting 0",
		})
	})
}

// The delay of the later failure may be over sooner.
func TestMergedFailureWaitsForTheLongerDelay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := Supervisor{Strategy: RestForOne, OnEvent: events.add, Children: []Child{
			{Name: "a", Serve: inTurn(after(2*time.Second, broken)), Backoff: Immediate()},
			{Name: "b", Serve: inTurn(after(1*time.Second, broken)), Backoff: Fixed(5 * time.Second)},
		}}
		_ = serveFor(t, &s, 9*time.Second)
		same(t, "a", events.of("a")[3:4], []string{"6.0 a restarting 1"})
	})
}

// A child that fails while it waits to be stopped counts as stopped: the limit counts one failure.
func TestFailureWhileWaitingToBeStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := trio(OneForAll, events)
		s.Limit = Limit{Restarts: 1}
		s.Children[0].Serve = inTurn(after(1050*ms, func() error { return io.ErrUnexpectedEOF }))
		if err := serveFor(t, s, 9*time.Second); err != context.DeadlineExceeded {
			t.Error(err)
		}
		same(t, "events", events.all()[5:11], []string{
			"1.1 a fault error", "1.1 a stopped shutdown", "1.1 c stopped shutdown",
			"2.0 a restarting 0", "2.0 b restarting 1", "2.0 c restarting 0",
		})
	})
}

// Who is down for good is not started by a sibling; a temporary child is not once it was stopped.
func TestWhoIsNotRestartedWithSiblings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		s := trio(OneForAll, events)
		s.Children = append(s.Children,
			Child{Name: "ended", Serve: inTurn(ends)},
			Child{Name: "given up", Policy: Temporary, Serve: inTurn(broken)},
			Child{Name: "temporary", Policy: Temporary, Serve: untilDone},
		)
		s.Children[0].Serve = inTurn(after(1050*ms, ends)) // on its own, while c is stopping
		_ = serveFor(t, s, 9*time.Second)
		for name, want := range map[string][]string{
			"ended":     {"0.0 ended starting", "0.0 ended stopped normal"},
			"given up":  {"0.0 given up starting", "0.0 given up fault error", "0.0 given up given up error"},
			"temporary": {"0.0 temporary starting", "1.0 temporary stopped shutdown", "1.0 temporary given up shutdown"},
			"a":         {"0.0 a starting", "1.1 a stopped normal"},
		} {
			same(t, name, events.of(name), want)
		}
	})
}
