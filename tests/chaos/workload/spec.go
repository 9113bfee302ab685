package workload

import (
	"fmt"
	"time"
)

// Name is the pipeline's name.
const Name = "chaos"

// Kind is what a stage of the workload does.
type Kind string

const (
	Source  Kind = "source"  // emits ids
	Pass    Kind = "pass"    // one state for all
	Keyed   Kind = "keyed"   // one state per key
	Window  Kind = "window"  // keeps items until a timer is due
	File    Kind = "file"    // sink
	Publish Kind = "publish" // sink
	Count   Kind = "count"   // sink, also of several streams
)

// Spec is a workload. All of it follows from the seed and the needs.
type Spec struct {
	Seed   uint64  `json:"seed"`
	Stages []Stage `json:"stages"` // producers before readers

	Checkpoint time.Duration `json:"checkpoint"`
	Window     time.Duration `json:"window"` // of duplicates; 0 is the default
	Grouped    bool          `json:"grouped"`
}

// Stage is one stage. Where it says one in so many, 0 is none.
type Stage struct {
	Name   string  `json:"name"`
	Kind   Kind    `json:"kind"`
	Inputs []Input `json:"inputs,omitempty"`
	Branch bool    `json:"branch,omitempty"` // some of its items go to a branch
	Ticks  bool    `json:"ticks,omitempty"`  // a timer of it emits to a branch of its own

	IDs     uint64        `json:"ids,omitempty"` // of a source
	PerCall uint64        `json:"per_call,omitempty"`
	Pace    time.Duration `json:"pace,omitempty"` // of a call

	Keys     uint64        `json:"keys,omitempty"`
	Rich     bool          `json:"rich,omitempty"`
	Batch    bool          `json:"batch,omitempty"`
	Delay    bool          `json:"delay,omitempty"` // AttemptDelay: failures do not restart it
	Compress bool          `json:"compress,omitempty"`
	Messages uint64        `json:"messages,omitempty"` // capacity
	Slow     time.Duration `json:"slow,omitempty"`     // about each tenth item

	Drop   uint64 `json:"drop,omitempty"`   // one item in so many
	Copy   uint64 `json:"copy,omitempty"`   // emitted twice
	Poison uint64 `json:"poison,omitempty"` // fails at every attempt
	Shaky  uint64 `json:"shaky,omitempty"`  // fails at its first attempt
	Random uint64 `json:"random,omitempty"` // of the first attempts, at random
}

// Input names a stream: a stage's own, its branch, or its ticks.
type Input struct {
	Stage       int `json:"stage"`
	Destination int `json:"destination"`
}

const (
	toOwn = iota
	toBranch
	toTicks
)

// streamName is as the engine says it.
func (s *Spec) streamName(i Input) string {
	name := s.Stages[i.Stage].Name
	switch i.Destination {
	case toBranch:
		return name + "/side"
	case toTicks:
		return name + "/ticks"
	}
	return name
}

func (s Stage) isSink() bool { return s.Kind == File || s.Kind == Publish || s.Kind == Count }

// key is the key of an item in the state of the stage; "" when it has one for all.
func (s Stage) key(t Token) string {
	if s.Keys == 0 {
		return ""
	}
	return fmt.Sprintf("k%02d", t.ID%s.Keys)
}

// The fates of an item: each is drawn apart from the others.
const (
	fateDrop = iota + 1
	fateCopy
	fatePoison
	fateShaky
	fateBranch
	fateManner
)

// draw is a number that only depends on stage, item and fate.
func (s *Spec) draw(stage int, t Token, fate uint64) uint64 {
	return mix(mix(s.Seed, uint64(stage)<<8|fate), t.hash())
}

func (s *Spec) fated(stage int, t Token, fate, oneIn uint64) bool {
	return oneIn > 0 && s.draw(stage, t, fate)%oneIn == 0
}

// Poisoned says whether a stage fails at an item for ever.
func (s *Spec) Poisoned(stage int, t Token) bool {
	return s.fated(stage, t, fatePoison, s.Stages[stage].Poison)
}

// outputs are the tokens that a stage makes of an item, with their destinations.
func (s *Spec) outputs(stage int, t Token, emit func(destination int, child Token)) {
	of := &s.Stages[stage]
	if of.isSink() || s.fated(stage, t, fateDrop, of.Drop) {
		return
	}
	copies := 1
	if s.fated(stage, t, fateCopy, of.Copy) {
		copies = 2
	}
	for c := range copies {
		to := toOwn
		if of.Branch && s.fated(stage, t.child(stage, 0, c), fateBranch, 3) {
			to = toBranch
		}
		emit(to, t.child(stage, to, c))
	}
}
