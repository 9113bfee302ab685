package main

import (
	"io"
	"testing"
	"time"
)

// grossLoss is far below what is measured: it is not the noise of a busy
// machine that falls below it, but a change that costs most of the speed.
var grossLoss = map[string]float64{"always": 4, "lazy": 2}

// TestNoGrossLoss compares the hop with the one by hand, in turn, and judges
// the ratio only. It runs alone.
func TestNoGrossLoss(t *testing.T) {
	b := &bench{settings: settings{rounds: 3, messages: 200_000, timeout: time.Minute}, work: t.TempDir(), progress: io.Discard}
	c := hopContest(shapes[0])
	all := c.sides
	c.sides = func(b *bench, sync syncMode) []*side {
		sides := all(b, sync)
		return []*side{sides[0], sides[len(sides)-1]}
	}
	if err := c.run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, f := range b.report.Figures {
		if f.What != timesByHand && f.What != ofTheFile {
			continue
		}
		t.Logf("%s, sync %s: %s is %s (%s) %s", f.Case, f.Sync, f.System, short(f.Median), f.spread(), f.What)
		if least := grossLoss[f.Sync]; f.What == timesByHand && !(f.Median >= least) {
			t.Errorf("%s, sync %s: %s %s, at least %s is normal by far", f.Case, f.Sync, short(f.Median), f.What, short(least))
		}
	}
}
