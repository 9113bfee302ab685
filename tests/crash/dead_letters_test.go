//go:build unix

package crash

import (
	"fmt"
	"os"
	"testing"
	"time"

	"penstock/engine/faultpoint"
	"penstock/tests/crash/poison"
)

// failing is a small pipeline in which two messages of each stage fail in an orderly way.
func failing(c *campaign) poison.Config {
	config := poison.Config{Numbers: 400, Room: 60, Slow: 200 * time.Microsecond}
	ways := []string{"error", "panic", "reject"}
	for k, stage := range poison.Stages {
		for n := range 2 {
			number := 40 + uint64(20*k+100*n) + c.random.Uint64N(20)
			config.Killers = append(config.Killers, poison.Killer{Stage: stage, Number: number, Way: ways[c.random.IntN(len(ways))]})
		}
	}
	return config
}

// letterKills is how often each step is killed.
func letterKills(t *testing.T) int {
	t.Helper()
	if os.Getenv("PENSTOCK_CRASH_KILLS") == "" {
		return 1
	}
	return kills(t)
}

// stageOf is the k-th of those that the killers are in, from a random one on.
func stageOf(k int) string { return poison.Stages[(int(seed())+k)%len(poison.Stages)] }

func newLetters(t *testing.T) (*campaign, poison.Config) {
	t.Helper()
	c := newCampaign(t, workload{})
	config := failing(c)
	c.workload = poisonWorkload(config)
	return c, config
}

// keptLetters is newLetters after its run, and where that left the letters, to be copied.
func keptLetters(t *testing.T) (*campaign, poison.Config, site) {
	t.Helper()
	c, config := newLetters(t)
	c.finish()
	return c, config, c.site
}

// Killed between any two steps of a diversion, there is one letter of each message that failed, and no other.
func TestKilledAtEveryStepOfADiversion(t *testing.T) {
	t.Parallel()
	for _, point := range []string{
		faultpoint.MidProcess, faultpoint.BeforeDivert, faultpoint.MidDivert,
		faultpoint.BeforePublish, faultpoint.PublishSent, faultpoint.AfterPublish, faultpoint.BeforeAck,
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			c, _ := newLetters(t)
			defer c.report()
			most := 2
			if point == faultpoint.MidProcess {
				most = 150
			}
			for k := range letterKills(t) {
				c.killAt(place{point, stageOf(k), most})
			}
			c.finish()
		})
	}
}

// Killed once after one of its commits, before anything else is written, a stage counts the dead letters that there are:
// after each commit in turn. A second kill could come while a message is tried alone, and be counted as its failure.
func TestLettersAreCountedWithTheCommitThatPassesThem(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"tally", "file"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			commits := 0
			for killedAfterCommit(t, stage, commits+1) {
				commits++
			}
			if commits < 2 {
				t.Errorf("%d commits", commits)
			}
		})
	}
}

// killedAfterCommit kills a pipeline after the stage's nth commit and lets it go on to its end, which must be right. It is
// false when the stage has fewer commits.
func killedAfterCommit(t *testing.T, stage string, n int) bool {
	t.Helper()
	c := newCampaign(t, workload{})
	c.workload = poisonWorkload(poison.Config{Numbers: 60, Room: 60, Killers: []poison.Killer{
		{Stage: stage, Number: 3, Way: "reject"}, {Stage: stage, Number: 31, Way: "error"},
	}})
	if c.run(nil, fmt.Sprintf("%s=%s@%s:%d", faultpoint.Variable, faultpoint.AfterPublish, stage, n)) != killed {
		return false
	}
	c.finish()
	return true
}
