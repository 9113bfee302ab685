//go:build linux

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"penstock/engine/faultpoint"
	"penstock/tests/chaos/workload"
)

func processFaults() []fault {
	return []fault{
		{"kill", "SIGKILL at any moment", needs{}, (*cycle).killAnytime},
		{"kill-point", "SIGKILL at a named point of the protocol", needs{}, (*cycle).killAtPoint},
		{"kill-start", "SIGKILL while it starts", needs{}, (*cycle).killStarting},
		{"term", "SIGTERM: it drains and ends", needs{}, (*cycle).terminate},
		{"pause", "SIGSTOP for a while, and SIGCONT", needs{}, (*cycle).pause},
		{"owner", "SIGSTOP, another takes over on a copy of the directory, SIGCONT", needs{server: true, noFiles: true, space: true}, (*cycle).secondOwner},
		{"two", "a second process on the same directory", needs{}, (*cycle).twoProcesses},
		{"retype", "started with states of another type, and then with the right ones again", needs{refusal: true}, (*cycle).retype},
		{"migrate", "SIGKILL, started with another release that converts the states, SIGKILL, and then with the one before again", needs{}, (*cycle).migrate},
	}
}

const (
	startTime  = time.Second            // for a victim to come up before something happens to it
	momentTime = 300 * time.Millisecond // for some progress before something happens; there may be none, on purpose
	someSteps  = 25
)

// moment waits for any moment in the life of a victim.
func (c *cycle) moment() error {
	if err := c.ensure(); err != nil {
		return err
	}
	c.victim.Until(startTime, c.victim.isReady)
	steps := c.victim.advances() + 1 + c.IntN(someSteps)
	c.victim.Until(momentTime, func() bool { return c.victim.advances() >= steps })
	if c.victim.IsAlive() {
		return nil
	}
	if err := c.reap(); err != nil || c.denied > 0 {
		return err // while what it needs is not there nothing comes of another
	}
	return c.moment()
}

// killVictim kills it, and is told if it had ended before.
func (c *cycle) killVictim() error {
	c.victim.kill()
	if err := c.reap(); err != nil {
		return err
	}
	return nil
}

func (c *cycle) killAnytime(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.killVictim(); err != nil {
		return err
	}
	return during()
}

// killStarting kills it before it is ready.
func (c *cycle) killStarting(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.killVictim(); err != nil {
		return err
	}
	for range 2 {
		if err := c.begin(nil); err != nil {
			return err
		}
		c.victim.Until(time.Duration(c.IntN(int(300*time.Millisecond))), c.victim.isReady)
		if err := c.killVictim(); err != nil {
			return err
		}
	}
	return during()
}

// ofAMove are the points that only a change of the number of partitions passes.
var ofAMove = []string{faultpoint.MoveNoted, faultpoint.MidMove, faultpoint.MoveCopied, faultpoint.MidRetire, faultpoint.MoveDecided, faultpoint.MidTidy}

// points are those that the workload can pass; some only with dead letters.
func (c *cycle) points() (list []string) {
	dead := false
	for k := range c.spec.Stages {
		for _, poison := range workload.Reference(&c.spec)[k].Poison {
			dead = dead || len(poison) > 0
		}
	}
	for _, point := range faultpoint.All() {
		switch point {
		case faultpoint.BeforeDivert, faultpoint.MidDivert, faultpoint.ReplayFound, faultpoint.MidReplay, faultpoint.MidSettle:
			if dead {
				list = append(list, point)
			}
		default:
			if !slices.Contains(ofAMove, point) { // no workload changes its partitions
				list = append(list, point)
			}
		}
	}
	return list
}

// killAtPoint has it die at a point, at any passage of any stage. A run that does not come that far is complete.
func (c *cycle) killAtPoint(during func() error) error {
	points := c.points()
	point := points[c.IntN(len(points))]
	passage := 1 + c.IntN(30)
	switch point {
	case faultpoint.MidProcess:
		passage = 1 + c.IntN(int(c.ids))
	case faultpoint.AllStopped:
		passage = 1
	case faultpoint.MidRecovery, faultpoint.AfterClaim, faultpoint.AfterSeal, faultpoint.AfterFence:
		passage = 1 + c.IntN(3)
		if err := c.killAnytime(func() error { return nil }); err != nil {
			return err
		}
	case faultpoint.BeforeDivert, faultpoint.MidDivert:
		passage = 1 + c.IntN(2)
	}
	if c.victim != nil && c.victim.IsAlive() {
		if err := c.killVictim(); err != nil {
			return err
		}
	}
	if err := c.begin([]string{fmt.Sprintf("%s=%s:%d", faultpoint.Variable, point, passage)}); err != nil {
		return err
	}
	armed := c.victim
	if err := during(); err != nil {
		return err
	}
	switch {
	case c.victim != armed || armed.Ends(c.bound()):
	case c.within:
		return c.killVictim()
	default:
		c.hang("it does not end")
		return errEnded
	}
	c.atPoint = point
	return c.reap()
}

func (c *cycle) terminate(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	c.victim.Signal(syscall.SIGTERM)
	c.victim.Signal(syscall.SIGCONT) // a pause may be the fault that this is a part of
	old := c.victim
	if err := during(); err != nil {
		return err
	}
	if c.victim == old && !c.victim.Ends(c.patience) {
		c.hang("it does not end after SIGTERM")
		return errEnded
	}
	return c.reap()
}

func (c *cycle) pause(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	paused := c.victim
	paused.Signal(syscall.SIGSTOP)
	c.pausedAt = time.Now()
	defer func() { c.pausedAt = time.Time{} }()
	if err := c.stay(c.away); err != nil {
		return err
	}
	err := during()
	paused.Signal(syscall.SIGCONT)
	c.lift()
	return err
}

// stay lets a fault be for a while. Nothing is waited for but time: that is the fault.
func (c *cycle) stay(d time.Duration) error {
	timer := time.NewTimer(d/2 + time.Duration(c.Int64N(int64(d))))
	defer timer.Stop()
	<-timer.C
	return nil
}

// lift notes that the victim can go on from now.
func (c *cycle) lift() { c.lifted = append(c.lifted, time.Now()) }

const fencedText = "taken over by another process"

// secondOwner stops an owner, lets another take its place, and wakes the first, which must end and say why.
func (c *cycle) secondOwner(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	old := c.victim
	if !old.isReady() { // it is owner of nothing yet
		return errEnded
	}
	old.Signal(syscall.SIGSTOP)
	copied := filepath.Join(c.root, "run", fmt.Sprintf("data%d", c.lives))
	if err := os.CopyFS(copied, os.DirFS(c.data)); err != nil {
		old.kill()
		return err
	}
	c.note(old)
	c.data, c.victim, c.judged = copied, nil, true
	if err := c.begin(nil); err != nil {
		old.kill()
		return err
	}
	c.victim.Until(c.bound(), c.victim.isReady)
	steps := c.victim.advances() + c.IntN(someSteps)
	c.victim.Until(momentTime, func() bool { return c.victim.advances() >= steps })
	err := during()
	old.Signal(syscall.SIGCONT)
	switch ended := old.Ends(c.bound()); {
	case !ended && c.within:
		old.kill()
	case !ended:
		old.Signal(syscall.SIGQUIT)
		<-old.Done()
		c.find(hung, "the owner that was replaced does not end: %.20000s", old.Stderr.String())
	case old.end() == completed: // it had ended already, but for saying so
	case c.within && (old.end() == interrupted || old.end() == killed): // by the fault before
	case old.end() == failed && strings.Contains(old.reason(), fencedText):
	case old.end() == failed && c.needs.refusal && clearly.MatchString(old.reason()): // it met what the other fault destroyed before it was fenced
	default:
		c.find(overruled, "the owner that was replaced ended otherwise: %s", old.reason())
	}
	return err
}

// bound is how long a process may take for what it is to do. Another fault that is under way may keep it from that.
func (c *cycle) bound() time.Duration {
	if c.within {
		return c.away + 2*time.Second
	}
	return c.patience
}

// note keeps what a victim that is not waited for told of.
func (c *cycle) note(v *process) {
	for stage, n := range v.commitsAt(time.Now()) {
		c.floor[stage] = max(c.floor[stage], n)
	}
}

// twoProcesses starts another on the same directory, which must be refused, without harm to the first.
func (c *cycle) twoProcesses(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	c.victim.Until(c.patience, c.victim.isReady)
	second, err := startChild(c.victimArgs(), c.env, c.echo)
	if err != nil {
		return err
	}
	defer second.kill()
	c.rival = second
	defer func() { c.rival = nil }()
	if err := during(); err != nil {
		return err
	}
	if c.rival == nil { // it was in the way of another that had to be started
		return nil
	}
	ended := second.Ends(c.patience)
	refused := ended && second.end() == failed && strings.Contains(second.reason(), "in use")
	switch {
	case refused && c.victim.IsAlive():
		return nil
	case refused:
		return c.reap()
	case c.victim.IsAlive():
		second.kill()
		c.find(unclear, "a second process on the directory was not refused as it should: %s", second.reason())
		return nil
	case c.victim.end() == completed: // and the second one began anew, as the next one will
		c.judged = true
		clear(c.floor)
		return nil
	}
	return cmp.Or(c.reap(), c.endRival())
}

// endRival ends the second process, if there is one. It may have had the directory after the first had died, and have
// come to the end.
func (c *cycle) endRival() error {
	rival := c.rival
	if rival == nil {
		return nil
	}
	c.rival = nil
	rival.kill()
	if rival.end() != completed {
		return nil
	}
	c.Completed, c.complete = true, true
	return errEnded
}

// retype starts it with states of another type. What it cannot read it must refuse.
func (c *cycle) retype(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.killVictim(); err != nil {
		return err
	}
	if err := c.begin(nil, "-retyped"); err != nil {
		return err
	}
	c.mayEnd = true
	if err := during(); err != nil {
		return err
	}
	if c.victim.IsAlive() {
		c.victim.Ends(c.away)
		c.victim.kill()
	}
	return c.reap()
}

// migrate lets another release run for a while. This one converts back what that has written.
func (c *cycle) migrate(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.killVictim(); err != nil {
		return err
	}
	if err := c.begin(nil, "-released"); err != nil {
		return err
	}
	if err := during(); err != nil {
		return err
	}
	if err := c.moment(); err != nil {
		return err
	}
	return c.killVictim()
}
