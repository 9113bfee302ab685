//go:build unix

package crash

import (
	"testing"

	"penstock/engine/faultpoint"
	"penstock/tests/crash/ledger"
)

// windows are the duplicate windows of the streams: the protocol depends on none.
var windows = map[string][]string{
	"default window": nil,
	"short window":   {"-window", "100ms"},
}

// exempt are the points that a workload does not pass.
var exempt = map[string][]string{
	faultpoint.BeforeDivert: {"wordcount"}, // has no dead letters
	faultpoint.MidDivert:    {"wordcount"},
	faultpoint.ReplayFound:  {"wordcount", "fizzbuzz", ledger.Name}, // none has replays
	faultpoint.MidReplay:    {"wordcount", "fizzbuzz", ledger.Name},
	faultpoint.MidSettle:    {"wordcount", "fizzbuzz", ledger.Name},
	faultpoint.MoveNoted:    {"wordcount", "fizzbuzz", ledger.Name}, // none changes its partitions: see tests/partitions
	faultpoint.MidMove:      {"wordcount", "fizzbuzz", ledger.Name},
	faultpoint.MoveCopied:   {"wordcount", "fizzbuzz", ledger.Name},
	faultpoint.MidRetire:    {"wordcount", "fizzbuzz", ledger.Name},
	faultpoint.MoveDecided:  {"wordcount", "fizzbuzz", ledger.Name},
	faultpoint.MidTidy:      {"wordcount", "fizzbuzz", ledger.Name},
}

func TestKilledAtEveryFaultPoint(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, w workload) {
		c := newCampaign(t, w)
		defer c.report()
		for _, p := range c.plan(kills(t)) {
			c.killAt(p)
		}
		c.finish()
		for _, point := range faultpoint.All() {
			if !isExempt(point, w.name) && c.kills[point] < kills(t) {
				t.Errorf("%s was hit %d times, want %d", point, c.kills[point], kills(t))
			}
		}
	})
}

func isExempt(point, workload string) bool {
	for _, name := range exempt[point] {
		if name == workload {
			return true
		}
	}
	return false
}

// everywhere runs a test for each workload and window.
func everywhere(t *testing.T, test func(t *testing.T, w workload)) {
	text := writeText(t, chance(t))
	for name, flags := range windows {
		if testing.Short() && flags == nil {
			continue
		}
		for _, w := range []workload{
			fizzbuzzWorkload(flags...), wordcountWorkload(text, flags...), ledgerWorkload(ledger.Config{}, flags...),
		} {
			t.Run(w.name+" "+name, func(t *testing.T) {
				t.Parallel()
				test(t, w)
			})
		}
	}
}

// plan is every point n times, each time at one of its places, in any order.
func (c *campaign) plan(n int) (list []place) {
	byPoint := map[string][]place{}
	for _, p := range c.workload.places {
		byPoint[p.point] = append(byPoint[p.point], p)
	}
	for _, point := range faultpoint.All() {
		places := byPoint[point]
		for k := range n {
			if len(places) == 0 {
				break
			}
			if k%len(places) == 0 {
				c.random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
			}
			list = append(list, places[k%len(places)])
		}
	}
	c.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}
