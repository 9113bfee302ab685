package faultpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// Variable is the environment variable that arms a point.
const Variable = "PENSTOCK_FAULT_POINT"

// armed is nil unless the environment asks for a crash. It is never written after the start.
var armed = mustArm(os.Getenv(Variable))

// Hit tells that the stage who passes the point name; who is empty where no stage is involved. It returns at once
// unless this passage is the one at which the process is to die, and then never. Safe for concurrent use.
func Hit(name, who string) {
	if armed != nil {
		armed.hit(name, who)
	}
}

type point struct {
	name    string
	stage   string // empty: any
	passage uint64
	seen    atomic.Uint64
}

func (p *point) hit(name, who string) {
	if p.due(name, who) {
		die()
	}
}

// due counts a passage. It stays true after the fatal one, so that another goroutine cannot slip past while the process
// dies.
func (p *point) due(name, who string) bool {
	if name != p.name || p.stage != "" && who != p.stage {
		return false
	}
	return p.seen.Add(1) >= p.passage
}

func mustArm(value string) *point {
	if value == "" {
		return nil
	}
	p, err := parse(value)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s=%q: %v\n", Variable, value, err)
		os.Exit(2)
	}
	return p
}

func parse(value string) (*point, error) {
	p := &point{passage: 1}
	place, count, counted := strings.Cut(value, ":")
	if counted {
		n, err := strconv.ParseUint(count, 10, 64)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("passage %q: want a whole number from 1", count)
		}
		p.passage = n
	}
	name, stage, staged := strings.Cut(place, "@")
	if staged && stage == "" {
		return nil, fmt.Errorf("no stage after @: name one, or leave @ out to mean any stage")
	}
	if !slices.Contains(all, name) {
		return nil, fmt.Errorf("unknown point %q: want one of %s", name, strings.Join(all, ", "))
	}
	p.name, p.stage = name, stage
	return p, nil
}

// die kills the process the hard way and lets nothing after it run.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: cannot kill the process: %v\n", Variable, err)
		os.Exit(2)
	}
	select {}
}
