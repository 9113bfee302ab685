//go:build linux

package main

import (
	"strings"
	"syscall"
	"time"
)

func diskFaults() []fault {
	return []fault{
		{"disk-full", "the disk of the data directory is full for a while", needs{volume: smallVolume}, (*cycle).diskFull},
		{"broker-disk-full", "the disk of the NATS server and of the data directory is full for a while", needs{volume: serverVolume, server: true, full: true}, (*cycle).diskFull},
		{"read-only", "the disk may not be written to at a start", needs{volume: smallVolume, readOnly: true}, (*cycle).readOnly},
		{"disk-dead", "the disk fails at everything, and is there again after a start", needs{volume: diskVolume}, (*cycle).diskDead},
		{"power", "power cut, with a sync of each commit", needs{volume: diskVolume}, (*cycle).powerCut},
		{"power-lazy", "power cut, with a sync interval", needs{volume: diskVolume, sync: true}, (*cycle).powerCut},
	}
}

// syncInterval is that of faults which need one; what is older than twice that, and a margin, must not be lost.
const (
	syncInterval = 100 * time.Millisecond
	syncMargin   = 100 * time.Millisecond
	syncAllowed  = 2*syncInterval + syncMargin
)

func (c *cycle) diskFull(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.volume.fill(c.Rand); err != nil {
		return err
	}
	c.deny()
	err := c.stay(c.away)
	if err == nil {
		err = during()
	}
	c.allow()
	if freed := c.volume.free(); err == nil {
		err = freed
	}
	if err != nil {
		return err
	}
	c.lift()
	if c.server != nil {
		return c.serverBack()
	}
	return c.pipelineBack()
}

// roomTime is how long a pipeline may take to go on when its disk has room again.
const roomTime = 10 * time.Second

// pipelineBack kills a victim that does not go on by itself, as its operator would. The report counts that.
func (c *cycle) pipelineBack() error {
	if !c.victim.IsAlive() {
		return nil
	}
	steps := c.victim.advances()
	c.victim.Until(roomTime, func() bool { return c.victim.advances() > steps })
	if c.victim.advances() > steps || !c.victim.IsAlive() {
		return nil
	}
	c.Stuck++
	return c.killVictim()
}

// serverBack starts the server anew, as its operator has to after a full disk: nats-server takes no more writes of a
// stream once one has failed.
func (c *cycle) serverBack() error {
	c.server.child.kill()
	if err := c.server.start(); err != nil {
		return err
	}
	c.lift()
	return nil
}

// readOnly starts it where nothing can be written, which it must say.
func (c *cycle) readOnly(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.killVictim(); err != nil {
		return err
	}
	if err := c.volume.remount("ro"); err != nil {
		return err
	}
	c.deny()
	err := c.startReadOnly(during)
	c.allow()
	if writable := c.volume.remount("rw"); err == nil {
		err = writable
	}
	return err
}

func (c *cycle) startReadOnly(during func() error) error {
	if err := c.begin(nil); err != nil {
		return err
	}
	victim := c.victim
	if err := during(); err != nil {
		return err
	}
	if !victim.Ends(c.patience) {
		c.hang("it does not end on a directory that cannot be written to")
		return errEnded
	}
	if reason := victim.reason(); victim.end() != failed || !strings.Contains(reason, "read-only") {
		if victim.end() != killed {
			c.find(unclear, "on a directory that cannot be written to it ended with %s", reason)
		}
	}
	return c.reap()
}

// diskDead takes the disk away from the running victim.
func (c *cycle) diskDead(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.endRival(); err != nil { // the disk is that of a machine: with it go all processes
		return err
	}
	if c.needs.sync { // of a fault before: it loses as much as a power cut
		c.lose(time.Now())
	}
	// Not while it syncs: the kernel may report a sync as done that the shutdown took (BenchmarkSyncAsTheDiskDies).
	if err := c.victim.stop(); err != nil {
		return err
	}
	if err := c.volume.cutPower(); err != nil {
		return err
	}
	if c.pausedAt.IsZero() {
		c.victim.Signal(syscall.SIGCONT)
	}
	c.deny()
	err := c.stay(c.away)
	c.allow()
	if err != nil {
		return err
	}
	return c.comeUp(during)
}

// powerCut stops everything at once, loses what was not on the disk, and starts again.
func (c *cycle) powerCut(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.endRival(); err != nil {
		return err
	}
	c.victim.Signal(syscall.SIGSTOP) // so that it cannot see the disk fail, and report it
	if c.needs.sync {
		at := time.Now()
		if !c.pausedAt.IsZero() {
			at = c.pausedAt // since when it could not sync
		}
		c.lose(at)
		c.cuts = append(c.cuts, powerCut{c.victim, at})
		c.again = true
	}
	if err := c.volume.cutPower(); err != nil {
		return err
	}
	return c.comeUp(during)
}

// lose allows what was committed in the sync interval before to be gone.
func (c *cycle) lose(at time.Time) {
	c.lost = at.Add(-syncAllowed)
	clear(c.floor)
}

// powerCut is a victim whose power was cut.
type powerCut struct {
	victim *process
	at     time.Time
}

// lost is how old the oldest commit was that the victim had told of and that is not there any more.
func (p powerCut) lost(ready map[string]uint64) time.Duration {
	if told, found := p.victim.firstBeyond(ready); found {
		return max(0, p.at.Sub(told))
	}
	return 0
}

// comeUp kills the victim and has the disk again.
func (c *cycle) comeUp(during func() error) error {
	c.victim.kill()
	ended := c.reap()
	if err := c.volume.powerUp(); err != nil {
		return err
	}
	if ended != nil {
		return ended
	}
	return during()
}
