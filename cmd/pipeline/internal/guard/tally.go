package guard

import "os"

// Gone is the signal of a guard that is not there any more.
type Gone struct{}

var _ os.Signal = Gone{}

// Signal makes it an os.Signal.
func (Gone) Signal() {}

// String is what happened.
func (Gone) String() string { return "the guard is gone" }

// tally counts stop signals that come on two ways. A terminal and a service
// manager send each to guard and child process, and the guard passes its own on: what
// came on both ways is one, and not the second that ends the process at once.
type tally struct{ direct, passed, counted int }

// isNew says whether there is one more than before.
func (t *tally) isNew() bool {
	if max(t.direct, t.passed) == t.counted {
		return false
	}
	t.counted++
	return true
}

func (t *tally) countDirect() bool { t.direct++; return t.isNew() }
func (t *tally) countPassed() bool { t.passed++; return t.isNew() }

// countGone counts as a signal, unless there was one.
func (t *tally) countGone() bool { t.passed = max(t.passed, 1); return t.isNew() }
