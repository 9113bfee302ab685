//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/tests/chaos/workload"
	"penstock/tests/crash/owners"
)

// cycle is one pipeline and what happens to it.
type cycle struct {
	*campaign
	*rand.Rand
	number  int
	ordeal  ordeal
	needs   needs
	spec    workload.Spec
	root    string // everything below belongs to it
	data    string
	volume  *volume
	server  *natsServer
	proxy   *proxy
	outside *workload.Outside
	echo    io.Writer

	victim *child // the last one
	judged bool   // its end was looked at
	lives  int
	floor  map[string]uint64 // commits that must be there at the next start
	mayEnd bool              // this victim may fail: what it needs was taken away
	lost   time.Time         // of a power cut: what was told after this may be lost
	lifted []time.Time       // when the living victim could go on again
	verdict
}

// verdict is what a cycle came to.
type verdict struct {
	Struck     bool     // every fault has happened
	atPoint    string   // of the protocol, where it was killed
	harmed     string   // class of the file that was damaged
	damages    []string // what was done to files
	Completed  bool
	Refused    string // how
	Findings   []workload.Finding
	Recoveries []time.Duration
	Died       int // of what was to be expected: a disk that was taken away
	refusals   int
	again      bool // what was lost by agreement was done again
}

// Other kinds of findings than those of the workload.
const (
	uncommitted = "uncommitted" // a commit that was told of is not there any more
	hung        = "hung"
	crashed     = "crashed"
	unclear     = "unclear" // it failed, and does not say what to do, or without reason
	overruled   = "overruled"
)

func (c *cycle) find(kind, format string, args ...any) {
	c.Findings = append(c.Findings, workload.Finding{Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// errEnded: there is no victim any more to which anything could happen.
var errEnded = errors.New("the pipeline has ended")

// go through the ordeal, and judge.
func (c *cycle) run(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	struck := 0
	inject := func() error { return nil }
	for k := len(c.ordeal) - 1; k >= 0; k-- {
		f, during := c.ordeal[k], inject
		inject = func() error {
			err := f.inject(c, during)
			if err == nil {
				struck++
			}
			return err
		}
	}
	if err := inject(); err != nil && !errors.Is(err, errEnded) {
		return fmt.Errorf("%s: %w", c.ordeal, err)
	}
	c.Struck = struck == len(c.ordeal)
	if err := c.finish(); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	if c.Completed {
		return c.judge(ctx)
	}
	return nil
}

func (c *cycle) prepare(ctx context.Context) (err error) {
	c.data = filepath.Join(c.root, "run", "data")
	if c.needs.volume != noVolume {
		if c.volume, err = mountVolume(c.needs.volume, c.root); err != nil {
			return err
		}
	}
	for _, dir := range []string{c.output(), c.data} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(c.spec, "", "  ")
	if err == nil {
		err = os.WriteFile(c.specFile(), data, 0o600)
	}
	if err != nil {
		return err
	}
	if c.needs.server {
		if c.server, err = c.startServer(); err != nil {
			return err
		}
	}
	if c.needs.proxy {
		if c.proxy, err = startProxy(c.server.address); err != nil {
			return err
		}
	}
	if c.outside, err = workload.DialOutside(c.outsideURL, c.prefix()); err != nil {
		return err
	}
	return c.outside.Prepare(ctx, c.spec)
}

// clean ends and removes everything.
func (c *cycle) clean(ctx context.Context, keep bool) (err error) {
	if c.victim != nil {
		c.victim.kill()
	}
	if c.proxy != nil {
		c.proxy.close()
	}
	if c.server != nil {
		c.server.child.kill()
	}
	if c.outside != nil {
		c.outside.Remove(ctx, c.spec)
		c.outside.Close()
	}
	if keep {
		return nil
	}
	if c.volume != nil {
		err = c.volume.unmount()
	}
	if err == nil {
		err = os.RemoveAll(c.root)
	}
	return err
}

func (c *cycle) output() string   { return filepath.Join(c.root, "run", "output") }
func (c *cycle) specFile() string { return filepath.Join(c.root, "spec.json") }
func (c *cycle) prefix() string   { return fmt.Sprintf("c%d", c.number) }

// url is what the victim connects to.
func (c *cycle) url() string {
	switch {
	case c.proxy != nil:
		return c.proxy.url()
	case c.server != nil:
		return c.server.url()
	}
	return ""
}

func (c *cycle) victimArgs(more ...string) []string {
	args := []string{asVictim, "-dir", c.data, "-url", c.url(), "-output", c.output(), "-outside", c.outsideURL, "-prefix", c.prefix(), "-spec", c.specFile()}
	if c.needs.sync {
		args = append(args, "-sync", syncInterval.String())
	}
	return append(args, more...)
}

// begin starts a victim; the one before has ended.
func (c *cycle) begin(env []string, args ...string) error {
	if err := c.reap(); err != nil {
		return err
	}
	victim, err := startChild(c.victimArgs(args...), append(c.env, env...), c.echo)
	if err != nil {
		return err
	}
	c.lives++
	c.victim, c.judged, c.mayEnd = victim, false, false
	return nil
}

// ensure has a victim alive.
func (c *cycle) ensure() error {
	if c.victim != nil && c.victim.alive() {
		return nil
	}
	if c.lives > maxLives {
		c.find(unclear, "it does not come to an end in %d runs", c.lives)
		return errEnded
	}
	return c.begin(nil)
}

const maxLives = 15

var (
	oracleSays = regexp.MustCompile(`oracle: (\w+): [^\n]*`)
	clearly    = regexp.MustCompile(`--fresh|restore |name another directory|use that directory|give the old type back|stop the other process|stop it, or`)
	goDied     = regexp.MustCompile(`(?m)^(panic: |fatal error: |unexpected fault address|SIGSEGV|SIGBUS|runtime: )`)
)

// reap looks at how the victim ended, if it has.
func (c *cycle) reap() error {
	if c.victim == nil || c.judged {
		return nil
	}
	<-c.victim.done
	c.judged = true
	c.compareFloor()
	c.timeRecovery()
	if c.Completed || len(c.Findings) > 0 {
		return errEnded
	}
	reason := c.victim.reason()
	if said := oracleSays.FindStringSubmatch(reason); said != nil {
		c.find(said[1], "%s", said[0])
		return errEnded
	}
	switch end := c.victim.end(); end {
	case completed:
		c.Completed = true
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
		c.lifted = append(c.lifted, c.victim.started)
	}
	for _, from := range c.lifted {
		if at, found := c.victim.firstCommitAfter(from); found {
			c.Recoveries = append(c.Recoveries, at.Sub(from))
		}
	}
	c.lifted = nil
}

// finish lets the pipeline come to its end.
func (c *cycle) finish() error {
	for {
		if err := c.ensure(); err != nil {
			return err
		}
		if !c.victim.ends(c.patience) {
			c.hang("it does not end")
			return errEnded
		}
		if err := c.reap(); err != nil {
			return err
		}
	}
}

// hang shows where a victim hangs, and ends it.
func (c *cycle) hang(what string) {
	c.victim.signal(syscall.SIGQUIT)
	<-c.victim.done
	c.judged = true
	c.find(hung, "%s within %v: %.20000s", what, c.patience, c.victim.stderr.String())
}

// judge looks at a run that is complete from outside.
func (c *cycle) judge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	config := engine.Config{Dir: c.data, Logger: slog.New(slog.DiscardHandler)}
	if c.server != nil {
		if !c.server.child.alive() {
			if err := c.server.start(); err != nil {
				return err
			}
		}
		config.NATS.URL = c.server.url()
	}
	result, err := workload.Collect(ctx, c.spec, config, workload.Place{Output: c.output(), Outside: c.outside})
	if err != nil {
		if c.needs.refusal && clearly.MatchString(err.Error()) {
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
	if err := owners.Check(ctx, b, workload.Name, stages); err != nil {
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
