//go:build unix

package crash

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/tests/crash/poison"
)

// A message that takes the process down is found, after at most one death more than it has attempts, and diverted; no other is.
func TestMessagesThatKillTheProcess(t *testing.T) {
	t.Parallel()
	keepers := []keeper{{"restarted", (*campaign).restart}, {"guarded", (*campaign).guarded}}
	for k, way := range poison.Ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			random := chance(t)
			for n := range killers(t) {
				c := poison.Config{Killers: []poison.Killer{{Stage: stageOf(k + n/2), Number: 500 + random.Uint64N(3000), Way: way}}}
				die(t, keepers[(int(seed())+k+n)%2], c, 4)
			}
		})
	}
}

// Two messages, mostly in different stages, which may even be in hand at the same time.
func TestTwoMessagesThatKillTheProcess(t *testing.T) {
	t.Parallel()
	random := chance(t)
	for range (killers(t) + 1) / 2 {
		stages := []int{random.IntN(len(poison.Stages)), random.IntN(len(poison.Stages))}
		number := 500 + random.Uint64N(3000)
		die(t, keeper{"restarted", (*campaign).restart}, poison.Config{Killers: []poison.Killer{
			{Stage: poison.Stages[stages[0]], Number: number, Way: poison.Ways[random.IntN(len(poison.Ways))]},
			{Stage: poison.Stages[stages[1]], Number: number + 1 + random.Uint64N(50), Way: poison.Ways[random.IntN(len(poison.Ways))]},
		}}, 8)
	}
}

// A killer has nothing behind it while the sources wait: its diversion is all that there is to wait for.
func TestLastMessageKillsTheProcess(t *testing.T) {
	t.Parallel()
	for range killers(t) {
		die(t, keeper{"restarted", (*campaign).restart}, poison.Config{
			Numbers: 400, Pace: 50 * time.Millisecond, Slow: 100 * time.Microsecond,
			Killers: []poison.Killer{{Stage: stageOf(0), Number: 199, Way: "exit"}},
		}, 4)
	}
}

// killers is how many killers of each way are tried, half of them with each keeper.
func killers(t *testing.T) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("PENSTOCK_CRASH_KILLERS")); err == nil && n > 0 {
		return n
	}
	return 1
}

// keeper is who starts the pipeline again.
type keeper struct {
	name string
	keep func(c *campaign, watch func(*victim, string)) (deaths int)
}

// die runs a poisoned pipeline to its end, which must be right and not have cost more than so many deaths.
func die(t *testing.T, k keeper, config poison.Config, most int) {
	t.Helper()
	began := time.Now()
	c := newCampaign(t, poisonWorkload(config))
	var mu sync.Mutex
	var tried []string
	deaths := k.keep(c, func(_ *victim, line string) {
		if strings.Contains(line, "wait for something else") {
			t.Errorf("it ran carefully for nothing: %s", line)
		}
		if killer, found := poison.ParseHarm(line); found {
			mu.Lock()
			defer mu.Unlock()
			tried = append(tried, killer)
		}
	})
	config, harmless := harmless(t, c.site, config)
	if err := checkPoison(t.Context(), c.site, config, poison.Result{}); err != nil {
		t.Errorf("%v, %s, with seed %d: %v", config.Killers, k.name, seed(), err)
	}
	for _, k := range config.Killers {
		most += slowDeaths(k.Way)
	}
	if deaths > most || deaths == 0 {
		t.Errorf("%v, %s: %d deaths, want 1 to %d; tried %v", config.Killers, k.name, deaths, most, tried)
	}
	t.Logf("%v, %s, effective before the harm %v: %d deaths, tried %d times, %v", config.Killers, k.name, harmless, deaths, len(tried), time.Since(began).Round(time.Millisecond))
}

// slowDeaths is how many more deaths are right: on a machine that has more to do, or with the race detector, a process takes
// its time to die of a goroutine. A death that comes late is not held against the message at once, and each makes the next
// process wait twice as long.
func slowDeaths(way string) int {
	if poison.OutlivesItsCall(way) {
		return 3
	}
	return 0
}

// harmless takes those killers out of the configuration whose goroutine did harm only when their effect was committed. No
// other one comes that far.
func harmless(t *testing.T, s site, c poison.Config) (poison.Config, []poison.Killer) {
	t.Helper()
	letters, err := s.letters(t.Context(), poison.Name)
	if err != nil {
		t.Fatal(err)
	}
	diverted := map[string]bool{}
	for _, l := range letters {
		diverted[l.ID()] = true
	}
	all, without := c.Killers, []poison.Killer(nil)
	c.Killers = nil
	for _, k := range all {
		if letter := k.ID(c); poison.OutlivesItsCall(k.Way) && !diverted[letter] {
			without = append(without, k)
		} else {
			c.Killers = append(c.Killers, k)
		}
	}
	return c, without
}

// maxDeaths is more than any test allows.
const maxDeaths = 20

// restart starts the pipeline as often as it dies.
func (c *campaign) restart(watch func(*victim, string)) (deaths int) {
	c.Helper()
	var stories []string
	for {
		victim := c.begin(watch)
		if victim.wait(c.T) == completed {
			return deaths
		}
		deaths++
		stories = append(stories, victim.Story())
		if deaths == maxDeaths || strings.Contains(victim.Stderr.String(), "victim:") {
			c.Fatalf("%d deaths\n%s", deaths, strings.Join(stories, "\n======\n"))
		}
	}
}

// guarded has the guard of the command start it.
func (c *campaign) guarded(watch func(*victim, string)) (deaths int) {
	c.Helper()
	binary := built(c.T, buildGuard)
	args := c.workload.args(c.site)
	victim := start(c.T, order{binary: binary, args: args[1:], env: append(c.env, "PENSTOCK_TEST_POISON=1"), watch: watch})
	if victim.wait(c.T) != completed {
		c.Fatalf("the guard ended: %s\n%s", victim.reason(), victim.Story())
	}
	if watch != nil { // the command logs there
		for line := range strings.Lines(victim.Stderr.String()) {
			watch(victim, line)
		}
	}
	return strings.Count(victim.Stderr.String(), "starting it again")
}

// A pipeline without poison is killed from outside, mostly while it is still in quarantine mode. Nothing is ever diverted.
func TestNothingIsDivertedForKillsFromOutside(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, poisonWorkload(poison.Config{Numbers: 40_000, Slow: 2 * time.Millisecond}))
	defer c.report()
	for c.kills[""] < max(20, 4*kills(t)) {
		after := time.Duration(c.random.Int64N(int64(800 * time.Millisecond)))
		result := c.run(func(victim *victim, line string) {
			if strings.Contains(line, "log ") && strings.Contains(line, "quarantine mode:") || victim.Said() == 30 {
				timer := time.AfterFunc(after, victim.Kill)
				c.Cleanup(func() { timer.Stop() })
			}
		})
		if result == killed {
			c.kills[""]++
		}
	}
	c.finish()
}
