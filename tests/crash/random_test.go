//go:build unix

package crash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/tests/crash/ledger"
)

func TestKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, w workload) {
		c := newCampaign(t, w)
		defer c.report()
		for tries := 0; c.kills[""] < kills(t); tries++ {
			if tries == kills(t)*maxMisses {
				t.Fatalf("only %d of %d kills in %d runs", c.kills[""], kills(t), tries)
			}
			c.killAtLine(1 + c.random.IntN(w.lines))
		}
		c.finish()
	})
}

// A run that starts anew deletes what the last one left, and may be killed in the middle of that.
func TestKilledWhileItStartsAnew(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, ledgerWorkload(ledger.Config{Entries: 400}))
	defer c.report()
	c.finish()
	all := c.streams()
	for n := range all {
		result := c.run(func(victim *victim, line string) {
			if strings.Contains(line, "starting from the beginning") {
				c.waitForStreams(all - n)
				victim.Kill()
			}
		})
		if result == killed {
			c.kills[""]++
		}
		c.finish()
	}
	if c.kills[""] < all/2 {
		t.Errorf("only %d kills", c.kills[""])
	}
}

// streams counts the streams of an embedded server by their directories.
func (c *campaign) streams() int {
	list, _ := os.ReadDir(filepath.Join(c.site.data(), "jetstream", "jetstream", "$G", "streams"))
	return len(list)
}

// waitForStreams looks until there are so few streams. It looks all the time: that they are few does not last.
func (c *campaign) waitForStreams(few int) {
	for end := time.Now().Add(10 * time.Second); c.streams() > few && time.Now().Before(end); {
	}
}
