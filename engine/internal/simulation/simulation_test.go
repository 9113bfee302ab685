package simulation

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The command in tests/simulation sets these.
var (
	simSeed      = flag.Uint64("simulation.seed", 1, "of all choices")
	simSchedules = flag.Uint64("simulation.schedules", 0, "how many schedules to play; 0: 20,000, with -short 2,000")
	simTime      = flag.Duration("simulation.time", 0, "play schedules for so long instead")
	simSchedule  = flag.Int64("simulation.schedule", -1, "play this one alone, and print it")
)

// TestSimulation plays schedules of the commit protocol; see world. A failure
// prints the seed and the schedule.
func TestSimulation(t *testing.T) {
	if *simSchedule >= 0 {
		w := replayed(*simSeed, uint64(*simSchedule))
		t.Log("\n" + strings.Join(w.trace, "\n"))
		if w.violation != "" {
			t.Error(w.violation)
		}
		return
	}
	if *simSchedules == 0 && *simTime == 0 {
		if *simSchedules = 20_000; testing.Short() {
			*simSchedules = 2000
		}
	}
	// A schedule is garbage as a whole when it is over.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	c := &simCampaign{seed: *simSeed, started: time.Now()}
	c.failed.Store(noFailure)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(c.work)
	}
	workers.Wait()
	t.Log(c.report())
	if n := c.failed.Load(); n != noFailure {
		w := replayed(c.seed, n)
		t.Errorf("schedule %d of seed %d: %s\n%s\nrepeat it: go run ./tests/simulation -seed %d -schedule %d",
			n, c.seed, w.violation, strings.Join(w.trace, "\n"), c.seed, n)
	}
}

func replayed(seed, n uint64) *world {
	plans := newPlans()
	defer plans[0].threads.close()
	w := newWorld(plans, seed, n, true)
	w.play()
	return w
}

// A schedule is the same each time, or its seed would be worth nothing.
func TestSimulationIsDeterministic(t *testing.T) {
	t.Parallel()
	schedules := uint64(1000)
	if testing.Short() {
		schedules = 100
	}
	for n := range schedules {
		first, second := replayed(7, n), replayed(7, n)
		if !slices.Equal(first.trace, second.trace) {
			for k := range first.trace {
				if k >= len(second.trace) || first.trace[k] != second.trace[k] {
					t.Fatalf("schedule %d differs from itself at %q", n, first.trace[k])
				}
			}
			t.Fatalf("schedule %d differs from itself", n)
		}
	}
}

// The schedules must come to what they are for.
func TestSimulationReachesEverything(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it counts in one goroutine")
	}
	var all counts
	plans := newPlans()
	defer plans[0].threads.close()
	for n := range uint64(3000) {
		w := newWorld(plans, 3, n, false)
		w.play()
		all.add(&w.counts)
	}
	for what, n := range all {
		if n == 0 && kindOfCount(what) != hangs {
			t.Errorf("%s: never in 3000 schedules", kindOfCount(what))
		}
	}
}

// simCampaign plays schedules with as many workers as there are processors.
type simCampaign struct {
	seed    uint64
	started time.Time
	next    atomic.Uint64
	failed  atomic.Uint64 // the first schedule that failed

	mu     sync.Mutex
	counts counts
	played uint64
	steps  uint64
}

const noFailure = ^uint64(0)

func (c *simCampaign) work() {
	plans := newPlans()
	defer plans[0].threads.close()
	var counts counts
	var played, steps uint64
	for n := c.next.Add(1) - 1; c.goesOn(n); n = c.next.Add(1) - 1 {
		w := newWorld(plans, c.seed, n, false)
		w.play()
		counts.add(&w.counts)
		played, steps = played+1, steps+uint64(w.steps)
		if w.violation != "" {
			for old := c.failed.Load(); n < old && !c.failed.CompareAndSwap(old, n); old = c.failed.Load() {
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.add(&counts)
	c.played, c.steps = c.played+played, c.steps+steps
}

func (c *simCampaign) goesOn(n uint64) bool {
	if n > c.failed.Load() {
		return false
	}
	if *simTime > 0 {
		return time.Since(c.started) < *simTime
	}
	return n < *simSchedules
}

func (c *simCampaign) report() string {
	took := time.Since(c.started)
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d schedules of %d steps on average in %v, %.0f a minute", c.seed, c.played,
		c.steps/max(c.played, 1), took.Round(time.Millisecond), float64(c.played)/took.Minutes())
	for what, n := range c.counts {
		fmt.Fprintf(&b, "\n%10d %s", n, kindOfCount(what))
	}
	if n := c.failed.Load(); n != noFailure {
		fmt.Fprintf(&b, "\nfirst failure: schedule %d", n)
	}
	return b.String()
}

// counts are what schedules came to.
type counts [numberOfCounts]uint64

type kindOfCount int

const (
	completed kindOfCount = iota
	refusals
	fencings
	hangs
	kills
	powerCuts
	serverCuts
	tailsLost
	takenBack
	noAnswers
	conflicts
	redeliveries
	rejoins
	leftBehind
	restarts
	drains
	secondOwners
	purges
	foreignFrames
	funcFailures
	unwritable
	postponed
	checkpoints
	diskErrors
	trims
	numberOfCounts
)

var namesOfCounts = [numberOfCounts]string{
	"completed with the exact result", "refused to go on, with cause", "owners fenced by another", "stood still until they were started again",
	"processes killed", "cuts of the power", "cuts of the server's power", "tails lost", "commits taken back", "answers lost or late", "commits refused by the server",
	"messages delivered again", "consumers made anew", "functions left behind", "stages restarted", "drains", "second owners", "purges from outside", "messages of another client",
	"failures of functions", "states that cannot be written", "snoozes", "checkpoints", "checkpoints that failed", "trims",
}

func (k kindOfCount) String() string { return namesOfCounts[k] }

func (c *counts) add(other *counts) {
	for k := range c {
		c[k] += other[k]
	}
}

// verdict counts how a schedule ended.
func (w *world) verdict() {
	switch {
	case w.refused == nil && w.violation == "":
		w.counts[completed]++
	case w.refused != nil:
		w.counts[refusals]++
	}
}
