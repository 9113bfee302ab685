package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var errBroken = errors.New("broken")

const ms = time.Millisecond

// log collects events; OnEvent is called one at a time, so it needs no lock while Serve runs.
type log struct {
	start  time.Time
	events []Event
}

func newLog() *log { return &log{start: time.Now()} }

func (l *log) add(e Event) { l.events = append(l.events, e) }

// all returns every event as a line, with seconds since start and the path of the child.
func (l *log) all() []string { return l.lines(func(Event) bool { return true }) }

func (l *log) of(child string) []string {
	return l.lines(func(e Event) bool { return e.Child == child })
}

func (l *log) lines(which func(Event) bool) (lines []string) {
	for _, e := range l.events {
		if !which(e) {
			continue
		}
		line := fmt.Sprintf("%.1f %s %v", e.Time.Sub(l.start).Seconds(), strings.TrimPrefix(e.Group+"/"+e.Child, "/"), e.Kind)
		switch e.Kind {
		case Failed, Stopped, GivenUp, Escalated:
			line += fmt.Sprintf(" %v", e.Reason)
		case BackingOff:
			line += fmt.Sprintf(" %d %v", e.Restart, e.Delay)
		case Restarting:
			line += fmt.Sprintf(" %d", e.Restart)
		case HealthChanged:
			line += " " + e.Detail
		}
		lines = append(lines, line)
	}
	return lines
}

func (l *log) count(child string, kind EventKind) (n int) {
	for _, e := range l.events {
		if e.Child == child && e.Kind == kind {
			n++
		}
	}
	return n
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func idle(name string) Child { return Child{Name: name, Serve: untilDone} }

// inTurn returns a Serve that calls each function in turn, one in each life, and then works until it is done.
func inTurn(how ...func() error) func(context.Context) error {
	return func(ctx context.Context) error {
		if len(how) == 0 {
			return untilDone(ctx)
		}
		first := how[0]
		how = how[1:]
		return first()
	}
}

func broken() error { return errBroken }

func ends() error { return nil }

// after waits before it calls how.
func after(d time.Duration, how func() error) func() error {
	return func() error { <-time.After(d); return how() }
}

// failing is a child that fails n times and then ends for good.
func failing(name string, n int, how func() error) Child {
	return Child{Name: name, Backoff: Backoff{Jitter: -1}, Serve: inTurn(append(slices.Repeat([]func() error{how}, n), ends)...)}
}

// serveFor runs s in a bubble for a while and returns its error.
func serveFor(t *testing.T, s *Supervisor, d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return s.Serve(ctx)
}

// serveAside runs s in a bubble beside the test, until stop is called, which returns its error.
func serveAside(t *testing.T, s *Supervisor) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	synctest.Wait()
	return func() error { cancel(); return <-done }
}

// hangs is a Serve that does not stop before release is closed.
func hangs(release <-chan struct{}) func(context.Context) error {
	return func(context.Context) error { <-release; return errBroken }
}

// bubble runs the test with time of its own.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}
