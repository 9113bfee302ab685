package cli

import "os"

// guardGone is the signal of a guard that is not there any more.
type guardGone struct{}

var _ os.Signal = guardGone{}

// Signal makes it an os.Signal.
func (guardGone) Signal() {}

// String is what happened.
func (guardGone) String() string { return "the guard is gone" }

// tally counts stop signals that come on two ways. A terminal and a service
// manager send each to guard and worker, and the guard passes its own on: what
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
