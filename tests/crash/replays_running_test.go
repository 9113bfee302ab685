//go:build unix

package crash

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/tests/crash/poison"
)

// Letters are replayed while the pipeline runs, twice, and it is killed at random moments.
func TestKilledWhileItReplays(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, workload{})
	config := failing(c)
	config.Numbers, config.Pace = 3000, time.Millisecond
	live := poisonWorkload(config, "-live", fmt.Sprint(len(config.Killers)))
	c.workload = live
	defer c.report()
	for range letterKills(t) {
		c.site = site{root: c.TempDir()}
		for range 3 {
			line := 1 + c.random.IntN(2*len(config.Killers)+6)
			victim := c.begin(afterAsking(line))
			result := victim.wait(t)
			if result == failed {
				t.Fatalf("%s\n%s", victim.reason(), victim.Story())
			}
			if result == completed {
				break
			}
			c.kills[""]++
		}
		c.must(c.site.mend())
		c.workload.args = poisonWorkload(config).args
		for range 3 { // one more may have become a letter meanwhile
			if c.ask(nil); c.isDone() {
				break
			}
			c.complete()
		}
		c.must(c.workload.check(t, c.site))
		c.workload = live
	}
}

// afterAsking kills the victim a number of lines after it began to ask for replays.
func afterAsking(lines int) func(*victim, string) {
	seen := 0
	return func(victim *victim, line string) {
		if seen > 0 || strings.HasPrefix(line, "asking for ") {
			if seen++; seen == lines {
				victim.Kill()
			}
		}
	}
}

// A letter that takes the process down when it is replayed comes back as one of the next round; the others that were
// replayed with it, and all that was there before, are as they were.
func TestReplayKillsTheProcess(t *testing.T) {
	t.Parallel()
	for _, way := range poison.Ways {
		if testing.Short() && way != "exit" {
			continue
		}
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			replayKills(t, way)
		})
	}
}

func replayKills(t *testing.T, way string) {
	c, config := newLetters(t)
	stage := poison.Stages[c.random.IntN(len(poison.Stages))]
	killer := poison.Killer{Stage: stage, Number: 300, Way: way}
	config.Killers = append(config.Killers, killer)
	config.Slow = 2 * time.Millisecond
	c.workload = poisonWorkload(config)
	first := c.restart(nil)
	letters, err := c.site.letters(t.Context(), poison.Name)
	c.must(err)
	if len(letters) != len(config.Killers) {
		if poison.OutlivesItsCall(way) {
			t.Skip("its effect was committed before the harm")
		}
		t.Fatalf("%d letters, want %d", len(letters), len(config.Killers))
	}
	c.ask(nil)
	var mu sync.Mutex
	tried := 0
	second := c.restart(func(_ *victim, line string) {
		if text, found := poison.ParseHarm(line); found && text == killer.String() {
			mu.Lock()
			defer mu.Unlock()
			tried++
		}
	})
	if left, err := c.site.letters(t.Context(), poison.Name); poison.OutlivesItsCall(way) && second == 1 && err == nil && len(left) == len(letters)-1 {
		t.Skip("the effect of the replay was committed before the harm")
	}
	c.checkRound(killer, 2)
	if second > 4+slowDeaths(way) || second == 0 || tried != second {
		t.Errorf("%d deaths of the replay, tried %d times", second, tried)
	}
	c.must(c.site.mend())
	c.ask(nil)
	c.goOn()
	t.Logf("%v: %d deaths, and %d of the replay", killer, first, second)
}
