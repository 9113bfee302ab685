//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/tests/chaos/workload"
	"penstock/tests/crash/owners"
)

// verdict is what a cycle came to.
type verdict struct {
	Struck      bool     // every fault has happened
	atPoint     string   // of the protocol, where it was killed
	harm        harm     // what was damaged
	damages     []string // what was done to files
	seen        bool     // the doctor saw that something is wrong, before anything was started
	diagnosis   string   // what the doctor said last
	repaired    string   // what was done to a directory that was refused
	lettersGone bool     // the repair said that dead letters are lost, and they are
	Completed   bool
	Refused     string // how
	Findings    []workload.Finding
	Recoveries  []time.Duration
	Unsynced    []time.Duration // of each power cut with a sync interval: the age of the oldest commit that was lost; 0: none was
	Died        int             // of what was to be expected: a disk that was taken away
	Stuck       int             // of those: that did not go on by themselves when it was there again
	refusals    int
	complete    bool // the last process said so
	again       bool // what was lost by agreement was done again
}

// Other kinds of findings than those of the workload.
const (
	uncommitted = "uncommitted" // a commit that was told of is not there any more
	hung        = "hung"
	crashed     = "crashed"
	unclear     = "unclear" // it failed, and does not say what to do, or without reason
	overruled   = "overruled"
	unseen      = "unseen" // the doctor, or a repair, is wrong
)

func (c *cycle) find(kind, format string, args ...any) {
	c.Findings = append(c.Findings, workload.Finding{Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// remedies are words by which a refusal says what to do. A test finds each of them in the sources.
var remedies = []string{
	"Config.Fresh", "--fresh", "doctor.Examine", "pipeline doctor", "restore ", "name another directory", "use the data directory of the latest run",
	"give the old type back", "stop the other process", "stop it, or", "the next start checks", "run from the data directory", "replay or discard it",
}

func oneOf(texts []string) *regexp.Regexp {
	quoted := make([]string, len(texts))
	for k, text := range texts {
		quoted[k] = regexp.QuoteMeta(text)
	}
	return regexp.MustCompile(strings.Join(quoted, "|"))
}

var (
	oracleSays = regexp.MustCompile(`oracle: (\w+): [^\n]*`)
	clearly    = oneOf(remedies)
	goDied     = regexp.MustCompile(`(?m)^(panic: |fatal error: |unexpected fault address|SIGSEGV|SIGBUS|runtime: )`)
)

// over: there is a verdict, or there will be one without another victim.
func (c *cycle) over() bool { return c.Completed || c.Refused != "" || len(c.Findings) > 0 }

// reap looks at how the victim ended, if it has.
func (c *cycle) reap() error {
	if c.over() {
		return errEnded
	}
	if c.victim == nil || c.judged {
		return nil
	}
	<-c.victim.Done()
	c.judged = true
	c.compareFloor()
	c.timeRecovery()
	if c.over() {
		return errEnded
	}
	reason := c.victim.reason()
	fmt.Fprintf(c.echo, "ended: %s\n", reason)
	if said := oracleSays.FindStringSubmatch(reason); said != nil {
		c.find(said[1], "%s", said[0])
		return errEnded
	}
	switch end := c.victim.end(); end {
	case completed:
		c.Completed, c.complete = true, true
		return errEnded
	case failed:
		return c.reapFailed(reason)
	case died:
		if !c.mayEnd || c.needs.volume == noVolume {
			c.find(crashed, "the process died: %s", reason)
			return errEnded
		}
		c.Died++
	}
	return nil
}

// reapFailed judges an error. A pipeline that refuses is started once more: it must not change its mind.
func (c *cycle) reapFailed(reason string) error {
	switch {
	case goDied.MatchString(reason):
		c.find(crashed, "%s", reason)
		return errEnded
	case c.needs.refusal && clearly.MatchString(reason):
		if c.refusals++; c.refusals == 2 {
			c.Refused = reason
			return errEnded
		}
	case c.mayEnd:
	default:
		c.find(unclear, "the pipeline failed: %s", reason)
		return errEnded
	}
	return nil
}

// compareFloor looks whether what was committed is still there, and remembers what this victim committed.
func (c *cycle) compareFloor() {
	if ready := c.victim.readyWith(); ready != nil {
		for stage, n := range c.floor {
			if ready[stage] < n {
				c.find(uncommitted, "stage %s told of commit %d and came back with %d", stage, n, ready[stage])
			}
		}
		clear(c.floor)
		c.cuts = slices.DeleteFunc(c.cuts, func(cut powerCut) bool {
			if cut.victim == c.victim {
				return false // what came of that the next one tells
			}
			c.Unsynced = append(c.Unsynced, cut.lost(ready))
			return true
		})
	}
	until := time.Now()
	if !c.lost.IsZero() {
		until = c.lost
	}
	for stage, n := range c.victim.commitsAt(until) {
		c.floor[stage] = max(c.floor[stage], n)
	}
	c.lost = time.Time{}
}

// timeRecovery measures from the start of a victim, but the first, and from when it could go on, to the next commit.
func (c *cycle) timeRecovery() {
	if c.lives > 1 {
		c.lifted = append(c.lifted, c.victim.Began)
	}
	for _, from := range c.lifted {
		if at, found := c.victim.firstCommitAfter(from); found {
			c.Recoveries = append(c.Recoveries, at.Sub(from))
		}
	}
	c.lifted = nil
}

// judge looks at a run that is complete from outside.
func (c *cycle) judge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	config := engine.Config{Dir: c.data, Logger: slog.New(slog.DiscardHandler)}
	if c.server != nil {
		if !c.server.child.IsAlive() {
			if err := c.server.start(); err != nil {
				return err
			}
		}
		config.NATS.URL = c.server.url()
	}
	result, err := workload.Collect(ctx, c.spec, config, workload.Place{Output: c.output(), Outside: c.outside})
	if err != nil {
		if c.needs.refusal && (clearly.MatchString(err.Error())) {
			c.Completed, c.Refused = false, err.Error()
			return nil
		}
		return fmt.Errorf("look at the result: %w", err)
	}
	result.Again = c.again
	c.Findings = append(c.Findings, workload.Check(c.spec, result)...)
	b, err := broker.Open(ctx, broker.Config{Dir: filepath.Join(c.data, "jetstream"), URL: config.NATS.URL})
	if err != nil {
		return fmt.Errorf("look at the channels: %w", err)
	}
	defer b.Close()
	var stages []string
	for _, s := range c.spec.Stages {
		stages = append(stages, s.Name)
	}
	err = owners.Check(ctx, b, workload.Name, stages)
	if c.needs.refusal && errors.Is(err, channel.ErrStreamLost) {
		return nil // it was deleted when the stage had ended: the next start refuses
	}
	if err != nil {
		c.find(overruled, "%v", err)
	}
	return nil
}

// story is what there is to say about a violated cycle.
func (c *cycle) story() string {
	var text strings.Builder
	for _, f := range c.Findings {
		fmt.Fprintf(&text, "  %s\n", strings.ReplaceAll(f.String(), "\n", "\n    "))
	}
	if c.victim != nil {
		fmt.Fprintf(&text, "  the last victim said:\n    %s\n", strings.ReplaceAll(c.victim.story(), "\n", "\n    "))
	}
	return text.String()
}
