//go:build unix

package crash

import (
	"os"
	"testing"
	"time"

	"penstock/tests/crash/ledger"
)

// The server dies again and again under load and comes back at once; the pipeline is not told.
func TestServerKilledUnderLoad(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	c := newCampaign(t, ledgerWorkload(ledger.Config{Entries: 8000, Slow: 200 * time.Microsecond}))
	c.site.url = server.url
	progress := make(chan struct{}, 1)
	victim := c.begin(everyProgress(40, progress))
	for range kills(t) {
		victim.await(t, "progress", progress)
		server.kill()
		server.start()
		c.kills[""]++
	}
	c.conclude(victim)
}

// The server is away for a while, by default a few seconds.
func TestServerAwayForLong(t *testing.T) {
	t.Parallel()
	away := 3 * time.Second
	if d, err := time.ParseDuration(os.Getenv("PENSTOCK_OUTAGE")); err == nil {
		away = d
	}
	server := startServer(t)
	c := newCampaign(t, ledgerWorkload(ledger.Config{Slow: 500 * time.Microsecond}))
	c.site.url = server.url
	progress := make(chan struct{}, 1)
	victim := c.begin(everyProgress(60, progress))
	victim.await(t, "progress", progress)
	server.kill()
	outage := time.NewTimer(away)
	defer outage.Stop()
	select {
	case <-victim.Done():
		t.Fatalf("the pipeline did not outlive the outage: %s\n%s", victim.reason(), victim.Story())
	case <-outage.C:
	}
	back := time.Now()
	server.start()
	for len(progress) > 0 {
		<-progress
	}
	victim.await(t, "progress after the outage", progress)
	t.Logf("away for %v; some progress %v after it came back", away, time.Since(back).Round(time.Millisecond))
	c.conclude(victim)
}

// conclude waits for the victim's end and judges it.
func (c *campaign) conclude(victim *victim) {
	c.Helper()
	defer c.report()
	if result := victim.wait(c.T); result != completed {
		c.Fatalf("the run ended with %v: %s\n%s", result, victim.reason(), victim.Story())
	}
	c.completed++
	if err := c.workload.check(c.T, c.site); err != nil {
		c.Errorf("the run is wrong: %v", err)
	}
}

// everyProgress sends a signal at every so many lines of progress.
func everyProgress(lines int, signal chan<- struct{}) func(*victim, string) {
	seen := 0
	return func(_ *victim, line string) {
		if isProgress(line) {
			if seen++; seen%lines == 0 {
				select {
				case signal <- struct{}{}:
				default:
				}
			}
		}
	}
}
