package supervise_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Any tree, with any faults, keeps the promises that the oracle knows. A failure prints the tree, the log and what is
// wrong with it.
func TestTreesKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		w := newWorld()
		synctest.Test(t, func(*testing.T) { w.play(p) })
		if complaints := judge(p.root, w.log); len(complaints) > 0 {
			rt.Fatalf("%s\n\ntree:\n%s\nlog:\n%s", strings.Join(complaints, "\n"), p.root, dump(w.log))
		}
	})
}

const (
	// settling is time enough for every script to be used up and every restart to be over.
	settling = 10 * time.Minute
	// recoverTimeout is that of every recovery function.
	recoverTimeout = 2 * time.Second
	forever        = time.Duration(-1)
)
