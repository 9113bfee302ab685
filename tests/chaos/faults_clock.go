//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"penstock/engine/enginetest"
)

func clockFaults() []fault {
	return []fault{
		{"clock", "the clock is put forward and back by minutes to days, while it runs and between runs", needs{}, (*cycle).clockJumps},
	}
}

// clockJumps puts the clock forward and back some times, while the pipeline runs or while it does not.
func (c *cycle) clockJumps(during func() error) error {
	if err := c.clockJump(); err != nil {
		return err
	}
	if err := during(); err != nil {
		return err
	}
	for range 1 + c.IntN(3) {
		if err := c.clockJump(); err != nil {
			if errors.Is(err, errEnded) {
				return nil // it has happened before
			}
			return err
		}
	}
	return nil
}

func (c *cycle) clockJump() error {
	if err := c.moment(); err != nil {
		return err
	}
	unit := []time.Duration{time.Minute, time.Hour, 24 * time.Hour}[c.IntN(3)]
	jump := time.Duration(1+c.IntN(30)) * unit
	if c.IntN(2) == 0 {
		jump = -jump
	}
	c.clock += jump
	if c.IntN(3) == 0 {
		return c.killVictim() // the next one starts with the new time
	}
	c.victim.order(clockOrder, jump)
	c.lift()
	return nil
}

const clockOrder = "clock"

// order tells a victim something. One that has ended need not hear it.
func (c *process) order(verb string, what any) { _, _ = fmt.Fprintf(c.Stdin, "%s %v\n", verb, what) }

// obey does what the campaign orders, until there is nobody any more to order anything.
func obey(orders io.Reader) {
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		if text, found := strings.CutPrefix(lines.Text(), clockOrder+" "); found {
			if d, err := time.ParseDuration(text); err == nil {
				enginetest.ShiftClock(d)
				fmt.Println("log the clock was put to", enginetest.Now())
			}
		}
	}
}
