package engine

import (
	"testing"
	"time"
)

// A message that is due and has to wait for the commit before it must not keep
// the loop turning.
func TestWhatIsDueDoesNotMakeTheLoopSpin(t *testing.T) {
	t.Parallel()
	w, sessions := openSessions(t)
	for _, s := range sessions {
		for _, i := range s.session.inbox.inputs {
			i.until = time.Unix(0, w.now-int64(time.Second))
			if idle := s.session.idle(); idle <= 0 {
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
		now := in.run.clock.Now()
		in.looked = now.Add(-2 * time.Millisecond)
		f := &failure{due: now.Add(-time.Millisecond)}
		in.failures.records = map[place]*failure{{stream: "numbers"}: f}
		if idle := in.idle(); idle > justDue {
			t.Errorf("%s: a message that is due is waited for %v", s, idle)
		}
		in.looked = now
		if idle := in.idle(); idle <= justDue {
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
