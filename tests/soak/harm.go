//go:build linux

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// What is done to a stage.
const (
	unharmed = iota
	panics
	fails
	hangs   // past its deadline, until its context is done
	lingers // and longer than it may take to stop: it is left behind
	harms
	restarted = harms // by an operator
)

const (
	deadline    = 2 * time.Second
	stopTimeout = time.Second
	lingering   = stopTimeout + time.Second
)

// harm makes stages fail at random. Its methods may be called by several
// goroutines at once.
type harm struct {
	stages  []string
	armed   map[string]*atomic.Int32
	every   time.Duration // on average
	random  *rand.Rand    // of serve
	restart func(ctx context.Context, stage string) error
	done    [harms + 1]atomic.Uint64
}

func newHarm(seed uint64, every time.Duration, restart func(context.Context, string) error) *harm {
	h := &harm{
		stages: []string{"ids", "split", "accounts", "changes", "windows", "totals", "tenths"},
		armed:  map[string]*atomic.Int32{},
		every:  every, random: rand.New(rand.NewPCG(seed, 7)), restart: restart,
	}
	for _, name := range h.stages {
		h.armed[name] = &atomic.Int32{}
	}
	return h
}

// serve chooses until ctx is done.
func (h *harm) serve(ctx context.Context) {
	for {
		select {
		case <-time.After(h.every/2 + time.Duration(h.random.Int64N(int64(h.every)))):
		case <-ctx.Done():
			return
		}
		stage, kind := h.stages[h.random.IntN(len(h.stages))], int32(h.random.IntN(harms))+1
		switch {
		case kind == restarted:
			if h.restart(ctx, stage) == nil {
				h.done[kind].Add(1)
			}
		case stage == "ids" && kind > fails: // it has no deadline
		default:
			h.armed[stage].Store(kind)
		}
	}
}

// strike does to the stage what was chosen. A message is struck at its first
// attempt only, so that it is no poison.
func (h *harm) strike(ctx context.Context, stage string, attempt int) error {
	armed := h.armed[stage]
	if attempt > 1 || armed.Load() == unharmed {
		return nil
	}
	kind := armed.Swap(unharmed)
	h.done[kind].Add(1)
	switch kind {
	case panics:
		panic("not well, on purpose")
	case fails:
		return errOnPurpose
	case hangs:
		<-ctx.Done()
	case lingers:
		<-ctx.Done()
		<-time.After(lingering)
	default:
		return nil
	}
	return errors.Join(ctx.Err(), errOnPurpose)
}

// total is how often a stage was harmed.
func (h *harm) total() (n uint64) {
	for k := range h.done {
		n += h.done[k].Load()
	}
	return n
}
