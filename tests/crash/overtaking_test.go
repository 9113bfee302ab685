//go:build unix

package crash

import (
	"testing"
	"time"

	"penstock/engine/faultpoint"
	"penstock/tests/crash/poison"
)

// overtakingWorkload has at all times messages that wait for their next attempt while others go on. Some become dead
// letters, but none that succeeds at its third attempt, although each of so many kills may count as a failure of it.
func overtakingWorkload(kills int) workload {
	w := poisonWorkload(poison.Config{
		Numbers: 3000, Hesitation: 3 * time.Millisecond, Slow: 300 * time.Microsecond, Attempts: 3 + kills,
		Killers: []poison.Killer{
			{Stage: "tally", Number: 400, Way: "error"}, {Stage: "tally", Number: 1500, Way: "panic"},
			{Stage: "tally", Number: 1513, Way: "error"}, {Stage: "tally", Number: 2900, Way: "error"},
		},
	})
	w.name += " overtaking"
	w.places = append(readerPlaces("tally", 500, 20), commonPlaces(1)...)
	w.places = append(w.places, place{faultpoint.BeforeDivert, "tally", 4}, place{faultpoint.MidDivert, "tally", 4})
	w.places = append(w.places, trimPlaces(1, "sift")...)
	return w
}

// Killed while positions have gaps: each message takes effect once, in the order of its key, and only those that always fail
// become dead letters.
func TestKilledWhileMessagesWait(t *testing.T) {
	t.Parallel()
	most := kills(t) * (len(faultpoint.All()) + 2) // from outside too, and a death before each one in a recovery
	c := newCampaign(t, overtakingWorkload(most))
	defer c.report()
	for _, p := range c.plan(kills(t)) {
		c.killAt(p)
	}
	for range kills(t) {
		c.killAtLine(1 + c.random.IntN(30))
	}
	c.finish()
	died := 0
	for _, n := range c.kills {
		died += n
	}
	if died > most {
		t.Errorf("%d kills, and messages have attempts for %d", died, most)
	}
}
