package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"penstock/engine/observe"
	"penstock/tests/figures"
)

const (
	ours         = "penstock"
	ourGuarantee = "exactly once, in order, with a state"
	timesByHand  = "times by hand"
	timesFastest = "times the fastest by hand"
	ofTheFile    = "of the file's rate"
)

// durability says what of it a power cut leaves.
func (s syncMode) durability() string {
	if s.interval == 0 {
		return "; survives a power cut"
	}
	return "; survives a kill, not a power cut"
}

// outcome is one run of one side.
type outcome struct {
	took   time.Duration
	status observe.Status // of a pipeline
	floor  time.Duration  // what the same writes to files took, if that was measured
}

// sideFunc moves n messages on a new directory, and checks that it did.
type sideFunc func(ctx context.Context, dir string, sync syncMode, n int) (outcome, error)

// side is one way to do what a contest is about.
type side struct {
	system    string
	guarantee string
	run       sideFunc
	messages  int
	aims      map[string]*aim // of what is reported

	rates, floors []float64
}

// contest compares sides round by round, so that a machine that slows down
// meanwhile slows all of them down. The first side is what the others are
// measured by.
type contest struct {
	name  string
	unit  string // of the rates
	times int    // what each message counts
	sides func(b *bench, sync syncMode) []*side
}

// share is how many messages those by hand get: a part of a pipeline's, by the
// sync mode, or they would take minutes. All move enough for their start not to
// count.
type share map[string]int

func (b *bench) share(sync syncMode, part share) int { return max(b.messages/part[sync.name], 100) }

// byPeers has a side for each peer that runs what build builds.
func (b *bench) byPeers(sync syncMode, build builder) []*side {
	var sides []*side
	for _, p := range peers() {
		sides = append(sides, &side{system: p.system, guarantee: p.guarantee, run: p.run(build), messages: b.share(sync, p.share)})
	}
	return sides
}

// run runs each side in each mode, round by round. Who goes first changes.
func (c contest) run(ctx context.Context, b *bench) error {
	for _, sync := range syncModes {
		sides := c.sides(b, sync)
		for round := range b.rounds {
			for i := range sides {
				s := sides[(i+round)%len(sides)]
				if err := c.turn(ctx, b, s, sync); err != nil {
					return fmt.Errorf("%s, %s, sync %s: %w", c.name, s.system, sync.name, err)
				}
				b.tell("%s, sync %s, round %d: %s %.0f %s", c.name, sync.name, round+1, s.system, s.rates[round], c.unit)
			}
		}
		c.report(b, sides, sync)
	}
	return nil
}

func (c contest) turn(ctx context.Context, b *bench, s *side, sync syncMode) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	dir := b.fresh()
	defer os.RemoveAll(dir)
	runtime.GC() // nobody pays for the garbage of the one before
	o, err := s.run(ctx, dir, sync, s.messages)
	if err != nil {
		return err
	}
	count := float64(s.messages * max(c.times, 1))
	s.rates = append(s.rates, count/o.took.Seconds())
	if o.floor > 0 {
		s.floors = append(s.floors, count/o.floor.Seconds())
	}
	return nil
}

func (c contest) report(b *bench, sides []*side, sync syncMode) {
	for _, s := range sides {
		c.add(b, sync, s, c.unit, s.rates, s.guarantee+sync.durability())
	}
	for _, s := range sides[1:] {
		c.add(b, sync, s, timesByHand, ratios(s.rates, sides[0].rates), "")
	}
	best := fastestByHand(sides)
	for _, s := range sides {
		if isOurs(s.system) {
			c.add(b, sync, s, timesFastest, ratios(s.rates, best.rates), "")
		}
	}
	for _, s := range sides {
		if len(s.floors) == 0 {
			continue
		}
		c.add(b, sync, &side{system: floorSystem, messages: s.messages}, c.unit, s.floors, floorGuarantee)
		c.add(b, sync, s, ofTheFile, ratios(s.rates, s.floors), "")
	}
}

// fastestByHand is the side by hand with the best median.
func fastestByHand(sides []*side) *side {
	best := sides[0]
	for _, s := range sides {
		if strings.HasPrefix(s.system, byHand.system) && figures.Median(s.rates) > figures.Median(best.rates) {
			best = s
		}
	}
	return best
}

func isOurs(system string) bool { return strings.HasPrefix(system, ours) }

func (c contest) add(b *bench, sync syncMode, s *side, what string, rounds []float64, guarantee string) {
	f := figure{Case: c.name, Sync: sync.name, System: s.system, What: what, Messages: s.messages, Rounds: rounds, Guarantee: guarantee}
	if a := s.aims[what]; a != nil {
		copied := *a
		f.Aim = &copied
	}
	b.report.add(f)
}

func ratios(of, by []float64) []float64 {
	r := make([]float64, len(of))
	for i := range r {
		r[i] = of[i] / by[i]
	}
	return r
}
