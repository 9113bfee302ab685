//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"penstock/tests/chaos/workload"
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

	victim *process // the last one
	within bool     // another fault is under way
	rival  *process // a second process on the same directory
	// pausedAt is since when the victim is stopped by a fault.
	pausedAt time.Time
	judged   bool // its end was looked at
	lives    int
	floor    map[string]uint64 // commits that must be there at the next start
	denied   int               // faults in force that take away what a victim needs
	mayEnd   bool              // this victim may fail: what it needs was taken away in its life
	lost     time.Time         // of a power cut: what was told after this may be lost
	clock    time.Duration     // how much it was put forward
	cuts     []powerCut        // since a victim was ready
	lifted   []time.Time       // when the living victim could go on again
	verdict
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
			c.within = k > 0
			err := f.inject(c, during)
			c.within = false
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
	if err := c.conclude(ctx); err != nil || !c.mendable() {
		return err
	}
	refused, complete := c.Refused, c.complete
	if mended, err := c.mend(); err != nil || !mended {
		return err
	}
	c.Refused, c.refusals = "", 0
	if complete { // another start would be another run
		c.Completed = true
		err := c.judge(ctx)
		c.forgive()
		return c.refusedAgain(refused, err)
	}
	return c.refusedAgain(refused, c.conclude(ctx))
}

// forgive leaves out what the repair said is lost: dead letters, and with them what their messages add to sums.
func (c *cycle) forgive() {
	if !strings.Contains(c.repaired, lettersLost) {
		return
	}
	before := len(c.Findings)
	c.Findings = slices.DeleteFunc(c.Findings, func(f workload.Finding) bool {
		return f.Kind == workload.Lost && (strings.HasPrefix(f.Text, "dead letters of ") || strings.HasPrefix(f.Text, "what "))
	})
	c.lettersGone = len(c.Findings) < before
}

// lettersLost is how a repair says that.
const lettersLost = "are lost"

// conclude lets the pipeline come to its end, and judges that.
func (c *cycle) conclude(ctx context.Context) error {
	if err := c.finish(); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	if c.Completed {
		err := c.judge(ctx)
		c.forgive()
		return err
	}
	return nil
}

// refusedAgain finds fault with a repaired pipeline that is refused.
func (c *cycle) refusedAgain(before string, err error) error {
	if c.Refused != "" {
		c.find(unseen, "it was refused: %s; it was repaired: %s; and is refused: %s", before, c.repaired, c.Refused)
	}
	return err
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
	if err := syncDirectory(filepath.Join(c.root, "run")); err != nil { // they were there before the power was cut
		return err
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
		if c.proxy, err = startProxy(c.server.address()); err != nil {
			return err
		}
	}
	if c.outside, err = workload.DialOutside(c.outsideURL, c.prefix()); err != nil {
		return err
	}
	return c.outside.Prepare(ctx, c.spec)
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
		c.server.close()
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
	if c.clock != 0 {
		args = append(args, "-clock", c.clock.String())
	}
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
	if err := c.endRival(); err != nil {
		return err
	}
	victim, err := startChild(c.victimArgs(args...), append(c.env, env...), c.echo)
	if err != nil {
		return err
	}
	c.lives++
	c.victim, c.judged, c.mayEnd = victim, false, c.denied > 0
	return nil
}

// deny says that from now on victims may fail, until allow is called: what they need is taken away.
func (c *cycle) deny() { c.denied, c.mayEnd = c.denied+1, true }

// allow ends that for the next victims. The one that is alive may fail later of what it met.
func (c *cycle) allow() { c.denied-- }

// ensure has a victim alive.
func (c *cycle) ensure() error {
	if c.victim != nil && c.victim.IsAlive() {
		return nil
	}
	if c.lives > maxLives {
		c.find(unclear, "it does not come to an end in %d runs", c.lives)
		return errEnded
	}
	return c.begin(nil)
}

const maxLives = 25

// finish lets the pipeline come to its end.
func (c *cycle) finish() error {
	for {
		if err := c.ensure(); err != nil {
			return err
		}
		for before, waited := -1, 0; !c.victim.Ends(c.patience); waited++ {
			now := c.victim.advances()
			if now == before || waited == maxPatience {
				c.hang("it does not end")
				return errEnded
			}
			before = now
		}
		if err := c.reap(); err != nil {
			return err
		}
	}
}

// maxPatience bounds how often a pipeline that gets on is waited for: a machine may be busy, and a pipeline may crawl.
const maxPatience = 3

// hang shows where a victim hangs, and ends it.
func (c *cycle) hang(what string) {
	c.victim.Signal(syscall.SIGQUIT)
	<-c.victim.Done()
	c.judged = true
	c.find(hung, "%s within %v: %.20000s", what, c.patience, c.victim.Stderr.String())
}
