package simulation

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var simRegister = flag.Bool("simulation.register", false, "with -simulation.schedule: one of the register, not of pipelines")

// TestRegisterSimulation plays schedules of owners that take one instance over from one another; see registerWorld. A
// failure prints the seed and the schedule.
func TestRegisterSimulation(t *testing.T) {
	if *simSchedule >= 0 {
		if *simRegister {
			w := playRegister(&threads{}, *simSeed, uint64(*simSchedule), true)
			t.Log("\n" + strings.Join(w.trace, "\n"))
			if w.violation != "" {
				t.Error(w.violation)
			}
		}
		return
	}
	schedules, started := *simSchedules, time.Now()
	if schedules == 0 && *simTime == 0 {
		if schedules = 20_000; testing.Short() {
			schedules = 2000
		}
	}
	var next, played atomic.Uint64
	failed := atomic.Uint64{}
	failed.Store(noFailure)
	var mu sync.Mutex
	var all registerCounts
	goesOn := func(n uint64) bool {
		return n <= failed.Load() && (schedules == 0 && time.Since(started) < *simTime || n < schedules)
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			pool, counts := &threads{}, registerCounts{}
			defer pool.close()
			for n := next.Add(1) - 1; goesOn(n); n = next.Add(1) - 1 {
				w := playRegister(pool, *simSeed, n, false)
				counts.add(&w.counts)
				played.Add(1)
				for old := failed.Load(); w.violation != "" && n < old && !failed.CompareAndSwap(old, n); old = failed.Load() {
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(&counts)
		})
	}
	workers.Wait()
	t.Logf("seed %d: %d schedules of the register in %v%v", *simSeed, played.Load(), time.Since(started).Round(time.Millisecond), &all)
	if n := failed.Load(); n != noFailure {
		w := playRegister(&threads{}, *simSeed, n, true)
		t.Errorf("schedule %d of seed %d: %s\n%s\nrepeat it: go run ./tests/simulation -register -seed %d -schedule %d",
			n, *simSeed, w.violation, strings.Join(w.trace, "\n"), *simSeed, n)
	}
}

func TestRegisterSimulationIsDeterministic(t *testing.T) {
	t.Parallel()
	pool := &threads{}
	defer pool.close()
	for n := range uint64(300) {
		first, second := playRegister(pool, 7, n, true), playRegister(pool, 7, n, true)
		if !slices.Equal(first.trace, second.trace) {
			t.Fatalf("schedule %d differs from itself", n)
		}
	}
}

// The schedules must come to what they are for.
func TestRegisterSimulationReachesEverything(t *testing.T) {
	t.Parallel()
	pool := &threads{}
	defer pool.close()
	var all registerCounts
	for n := range uint64(3000) {
		w := playRegister(pool, 3, n, false)
		all.add(&w.counts)
	}
	for what, n := range all {
		if n == 0 {
			t.Errorf("%s: never in 3000 schedules", namesOfRegisterCounts[what])
		}
	}
}

// registerCounts are what schedules came to.
type registerCounts [numberOfRegisterCounts]uint64

const (
	registerCompleted = iota
	claimants
	takeOvers
	claimedAgain
	steppedBack
	fencedOwners
	registerCommits
	registerTrims
	registerKills
	sleeps
	leaderChanges
	registerNoAnswers
	lateArrivals
	registerConflicts
	registerForeign
	copiedSeals
	numberOfRegisterCounts
)

var namesOfRegisterCounts = [numberOfRegisterCounts]string{
	"came to their end", "claimants", "take-overs", "claims that were repeated", "claimants that stepped back", "owners fenced", "commits", "trims",
	"owners killed", "owners put to sleep or woken", "changes of the leader", "answers lost", "stored after the publisher gave up", "publishes refused",
	"messages of another client", "seals copied",
}

func (c *registerCounts) add(other *registerCounts) {
	for k := range c {
		c[k] += other[k]
	}
}

func (c *registerCounts) String() string {
	var b strings.Builder
	for what, n := range c {
		fmt.Fprintf(&b, "\n%10d %s", n, namesOfRegisterCounts[what])
	}
	return b.String()
}
