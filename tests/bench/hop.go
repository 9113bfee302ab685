package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"
)

const (
	ours   = "penstock"
	theirs = "nats.go by hand"

	theirGuarantee = "at least once: ids for 2 min, an ack may be lost; no state"
	ourGuarantee   = "exactly once, in order, with a counting state"
)

// durability says what of it a power cut leaves.
func (s syncMode) durability() string {
	if s.interval == 0 {
		return "; survives a power cut"
	}
	return "; survives a kill, not a power cut"
}

// aims are how many times the hop by hand a pipeline should reach.
var aims = map[string]float64{"always": 10, "lazy": 20}

// hopFunc moves n messages on a new directory and says how long they took.
type hopFunc func(ctx context.Context, dir string, sync syncMode, n int) (time.Duration, error)

type hopSide struct {
	system    string
	run       hopFunc
	messages  int
	guarantee string
	rates     []float64
}

// hopSides are the hop by hand, and then what is compared with it.
func (b *bench) hopSides(sync syncMode) []*hopSide {
	few := b.messages / 10
	if sync.interval == 0 {
		few = b.messages / 100
	}
	return []*hopSide{
		{system: theirs, run: byHand, messages: few, guarantee: theirGuarantee},
		{system: ours + ", 64 a call", run: pipelined(64), messages: b.messages, guarantee: ourGuarantee},
		{system: ours + ", 1 a call", run: pipelined(1), messages: b.messages, guarantee: ourGuarantee},
	}
}

// measureHops runs each side in each mode, round by round, so that a machine
// that slows down meanwhile slows all of them down. Who goes first changes.
func measureHops(ctx context.Context, b *bench) error {
	for _, sync := range syncModes {
		sides := b.hopSides(sync)
		for round := range b.rounds {
			for i := range sides {
				side := sides[(i+round)%len(sides)]
				if err := b.hop(ctx, side, sync); err != nil {
					return fmt.Errorf("%s, sync %s: %w", side.system, sync.name, err)
				}
				b.tell("hop, sync %s, round %d: %s %.0f messages/s", sync.name, round+1, side.system, side.rates[round])
			}
		}
		b.reportHops(sides, sync)
	}
	return nil
}

func (b *bench) reportHops(sides []*hopSide, sync syncMode) {
	f := figure{Case: "hop, 128 B", Sync: sync.name}
	for _, side := range sides {
		f.System, f.What, f.Messages, f.Rounds = side.system, "messages/s", side.messages, side.rates
		f.Guarantee = side.guarantee + sync.durability()
		b.report.add(f)
	}
	for _, side := range sides[1:] {
		ratios := make([]float64, b.rounds)
		for i := range ratios {
			ratios[i] = side.rates[i] / sides[0].rates[i]
		}
		b.report.add(figure{Case: f.Case, Sync: f.Sync, System: side.system, What: "times by hand", Rounds: ratios, Aim: &aim{AtLeast: aims[sync.name]}})
	}
}

func (b *bench) hop(ctx context.Context, side *hopSide, sync syncMode) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	dir := b.fresh()
	defer os.RemoveAll(dir)
	runtime.GC() // nobody pays for the garbage of the one before
	took, err := side.run(ctx, dir, sync, side.messages)
	if err == nil {
		side.rates = append(side.rates, float64(side.messages)/took.Seconds())
	}
	return err
}
