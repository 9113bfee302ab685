package simulation

import (
	"testing"
	"time"

	"penstock/engine/internal/task"
)

// A message that is due and has to wait for the commit before it must not keep
// the loop turning.
func TestWhatIsDueDoesNotMakeTheLoopSpin(t *testing.T) {
	t.Parallel()
	w, sessions := openSessions(t)
	for _, s := range sessions {
		for _, i := range s.session.Inbox.Inputs {
			i.Until = time.Unix(0, w.now-int64(time.Second))
			if idle := s.session.Idle(); idle <= 0 {
				t.Errorf("%s: the loop is idle for %v", s, idle)
			}
		}
	}
}

// A message that becomes due between the look at it and the wait must not be waited for.
func TestWhatBecomesDueMeanwhileIsNotMissed(t *testing.T) {
	t.Parallel()
	_, sessions := openSessions(t)
	for _, s := range sessions {
		in := s.session
		now := in.Run.Clock.Now()
		in.Looked = now.Add(-2 * time.Millisecond)
		f := &task.Failure{Due: now.Add(-time.Millisecond)}
		in.Failures.Records = map[task.Place]*task.Failure{{Stream: "numbers"}: f}
		if idle := in.Idle(); idle > task.JustDue {
			t.Errorf("%s: a message that is due is waited for %v", s, idle)
		}
		in.Looked = now
		if idle := in.Idle(); idle <= task.JustDue {
			t.Errorf("%s: a message that waits for something else keeps the loop turning: %v", s, idle)
		}
	}
}

// openSessions are those of a simulated process that has just come up.
func openSessions(t *testing.T) (*world, []*simSession) {
	t.Helper()
	plans := newPlans()
	t.Cleanup(plans[0].threads.close)
	w := newWorld(plans, 1, 1, false)
	w.calm = true
	p := w.start(w.disks[0])
	t.Cleanup(w.close)
	for !p.opened {
		w.step()
	}
	return w, p.sessions
}
