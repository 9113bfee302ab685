//go:build unix

package crash

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine/faultpoint"
)

// campaign kills one workload again and again on one directory. A run that completes is judged, and the next one starts
// anew in the same directory.
type campaign struct {
	*testing.T
	workload workload
	site     site
	random   *rand.Rand
	binary   string
	env      []string

	kills     map[string]int // by point; outside is ""
	completed int
	runs      int
	began     time.Time
}

func newCampaign(t *testing.T, w workload) *campaign {
	t.Helper()
	return &campaign{
		T: t, workload: w, site: site{root: t.TempDir()}, random: chance(t),
		binary: built(t, buildNormal), kills: map[string]int{}, began: time.Now(),
	}
}

// begin starts the victim.
func (c *campaign) begin(watch func(*victim, string), env ...string) *victim {
	c.Helper()
	c.runs++
	return start(c.T, order{binary: c.binary, args: c.workload.args(c.site), env: slices.Concat(c.env, env), watch: watch})
}

// run runs the victim to its death or its end; a run that is complete must be right, and one that fails is a failure.
func (c *campaign) run(watch func(*victim, string), env ...string) end {
	c.Helper()
	victim := c.begin(watch, env...)
	result := victim.wait(c.T)
	switch result {
	case failed:
		c.Fatalf("run %d %v failed: %s\n%s", c.runs, env, victim.reason(), victim.Story())
	case completed:
		c.completed++
		if err := c.workload.check(c.T, c.site); err != nil {
			c.Fatalf("run %d completed and is wrong: %v\n%s", c.runs, err, victim.Story())
		}
	}
	return result
}

// finish runs the victim to its end, which must be right.
func (c *campaign) finish() {
	c.Helper()
	if c.run(nil) != completed {
		c.Fatalf("run %d was killed by nobody", c.runs)
	}
}

// maxMisses bounds the runs that complete before they reach the place where they were to die.
const maxMisses = 8

// killAt has the victim die at a place. It is the place of this point that must be reached, not the passage: a run that
// completes before is judged, and the next one is to die earlier.
func (c *campaign) killAt(p place) {
	c.Helper()
	passage := 1 + c.random.IntN(p.most)
	for range maxMisses {
		if p.point == faultpoint.MidRecovery {
			// A commit that no checkpoint covers gives the next start something to recover.
			c.killAt(place{faultpoint.AfterPublish, p.stage, 3})
		}
		if c.run(nil, fmt.Sprintf("%s=%s:%d", faultpoint.Variable, at(p), passage)) == killed {
			c.kills[p.point]++
			return
		}
		passage = 1 + c.random.IntN((passage+1)/2)
	}
	c.Fatalf("%s was not reached in %d runs", at(p), maxMisses)
}

func at(p place) string {
	if p.stage == "" {
		return p.point
	}
	return p.point + "@" + p.stage
}

// killAtLine kills the victim from outside once it has said so many lines.
func (c *campaign) killAtLine(line int) end {
	c.Helper()
	result := c.run(func(victim *victim, _ string) {
		if victim.Said() >= line {
			victim.Kill()
		}
	})
	if result == killed {
		c.kills[""]++
	}
	return result
}

// report says what was done.
func (c *campaign) report() {
	var list []string
	total := 0
	for _, point := range append(faultpoint.All(), "") {
		if n := c.kills[point]; n > 0 {
			if point == "" {
				point = "from outside"
			}
			list = append(list, fmt.Sprintf("%s %d", point, n))
			total += n
		}
	}
	c.Logf("%d kills in %d runs, %d of them complete, %v: %s", total, c.runs, c.completed, time.Since(c.began).Round(time.Millisecond), strings.Join(list, ", "))
}
