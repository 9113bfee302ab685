//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/internal/testing/natsserver"
	"penstock/tests/chaos/workload"
)

// campaign is many cycles.
type campaign struct {
	settings
	out        io.Writer
	ordeals    []ordeal
	skipped    map[string]string // faults that this machine cannot have, and why
	work       string
	env        []string // of each victim
	outsideURL string
	outside    *server.Server
}

func newCampaign(s settings, out io.Writer) (c *campaign, err error) {
	c = &campaign{settings: s, out: out, skipped: map[string]string{}}
	all, err := ordeals(s.faults)
	if err != nil {
		return nil, err
	}
	if c.work, err = os.MkdirTemp(s.dir, "penstock-chaos-"); err != nil {
		return nil, err
	}
	c.leaveOut(all)
	if len(c.ordeals) == 0 {
		c.close()
		return nil, fmt.Errorf("none of these faults can be had on this machine: %v", c.skipped)
	}
	if err := c.openOutside(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// leaveOut leaves out what takes a volume that cannot be mounted.
func (c *campaign) leaveOut(all []ordeal) {
	why := map[volumeKind]string{}
	for _, o := range all {
		all, _ := o.needs()
		reason, asked := why[all.volume]
		if !asked {
			reason = canMount(all.volume, c.work)
			why[all.volume] = reason
		}
		if reason != "" {
			c.skipped[o.String()] = reason
			continue
		}
		c.ordeals = append(c.ordeals, o)
	}
}

// openOutside starts the NATS server that items are published to. Nothing happens to it.
func (c *campaign) openOutside() (err error) {
	c.outside, err = natsserver.Run(natsserver.Options(filepath.Join(c.work, "outside")))
	if err != nil {
		return fmt.Errorf("start the server outside: %w", err)
	}
	c.outsideURL = c.outside.ClientURL()
	return nil
}

func (c *campaign) close() {
	if c.outside != nil {
		natsserver.Stop(c.outside)
	}
	if !c.keep {
		_ = os.RemoveAll(c.work)
	}
}

// run goes through the cycles and reports.
func (c *campaign) run(ctx context.Context) (int, error) {
	r := newReport(c)
	if c.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.duration)
		defer cancel()
	}
	numbers := make(chan int)
	go func() {
		defer close(numbers)
		first, behind := 0, c.cycles
		if c.cycle >= 0 {
			first, behind = c.cycle, c.cycle+1
		}
		for n := first; n < behind; n++ {
			select {
			case numbers <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	var workers sync.WaitGroup
	var mu sync.Mutex
	var failures []error
	for range c.parallel {
		workers.Go(func() {
			for n := range numbers {
				done, err := c.doCycle(n)
				mu.Lock()
				if err != nil {
					failures = append(failures, fmt.Errorf("cycle %d: %w", n, err))
				}
				if done != nil {
					r.add(done)
					c.tell(r, done)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if err := r.write(c); err != nil {
		failures = append(failures, err)
	}
	switch {
	case len(failures) > 0:
		return 2, errors.Join(failures...)
	case r.Violated > 0:
		return 1, nil
	}
	return 0, nil
}

// tell says what is wrong with a cycle, and from time to time how far the campaign is.
func (c *campaign) tell(r *report, done *cycle) {
	if len(done.Findings) > 0 {
		fmt.Fprintf(c.out, "cycle %d (%s) is violated; again: -seed %d -faults %s -cycle %d %s\n%s",
			done.number, done.ordeal, c.seed, c.faults, done.number, strings.Join(done.damages, ", "), done.story())
	}
	if r.Cycles%50 == 0 {
		fmt.Fprintf(c.out, "%d cycles, %d violated, %v\n", r.Cycles, r.Violated, time.Since(r.began).Round(time.Second))
	}
}

// doCycle does one cycle. It is not for ctx to end it: a half cycle says nothing.
func (c *campaign) doCycle(number int) (*cycle, error) {
	ctx := context.Background()
	random := rand.New(rand.NewPCG(c.seed, uint64(number)))
	o := c.ordeals[number%len(c.ordeals)]
	all, _ := o.needs()
	y := &cycle{
		campaign: c, Rand: random, number: number, ordeal: o, needs: all, echo: io.Discard,
		spec:  workload.Generate(random.Uint64(), all.workload(c.ids)),
		root:  filepath.Join(c.work, fmt.Sprintf("cycle%d", number)),
		floor: map[string]uint64{},
	}
	if c.verbose {
		y.echo = c.out
	}
	if err := os.MkdirAll(y.root, 0o700); err != nil {
		return nil, err
	}
	err := y.run(ctx)
	if cleaned := y.clean(ctx, c.keep && (len(y.Findings) > 0 || err != nil)); err == nil {
		err = cleaned
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", o, err, y.story())
	}
	return y, nil
}

// commit is the commit of the tree that is tested, if git knows.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(out))
	if changed, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(changed) > 0 {
		name += " with changes"
	}
	return name
}
