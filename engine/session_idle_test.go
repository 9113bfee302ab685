package engine

import (
	"testing"
	"time"
)

// A message that is due and has to wait for the commit before it must not keep
// the loop turning.
func TestWhatIsDueDoesNotMakeTheLoopSpin(t *testing.T) {
	t.Parallel()
	plans := newPlans()
	t.Cleanup(plans[0].threads.close)
	w := newWorld(plans, 1, 1, false)
	w.calm = true
	p := w.start(w.disks[0])
	defer w.close()
	for !p.opened {
		w.step()
	}
	for _, s := range p.sessions {
		for _, i := range s.session.inputs {
			i.until = time.Unix(0, w.now-int64(time.Second))
			if idle := s.session.idle(); idle <= 0 {
				t.Errorf("%s: the loop is idle for %v", s, idle)
			}
		}
	}
}
