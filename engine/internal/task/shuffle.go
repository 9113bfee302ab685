package task

import "penstock/engine/internal/plan"

// outlet is where the values of one of the stage's streams go.
type outlet struct {
	shared   int // the destination that has them all; -1: none
	shuffles []Shuffle
}

// Shuffle spreads the values of a stream over the partitions of a reader. It is for the goroutine of the call that
// emits.
type Shuffle struct {
	Reader     *plan.Stage
	first      int // destination of partition 0
	partitions int
	to         int // where the value at hand goes; undecided: see partition
	turn       int
}

const undecided = -1

// ByKey sends the value at hand where the key is.
func (s *Shuffle) ByKey(key string) {
	s.to = plan.PartitionOf(plan.GroupOf(key), s.partitions)
}

// ToFirst sends the value at hand to the first partition: its key is not known, and the reader will find that out, too.
func (s *Shuffle) ToFirst() { s.to = 0 }

// destination is that of the value at hand: without a key function it goes by the key that it was emitted with, and
// without one to each partition in turn.
func (s *Shuffle) destination(e *Emission) int {
	to := s.to
	switch {
	case to != undecided:
	case e != nil && e.Key != "":
		to = plan.PartitionOf(plan.GroupOf(e.Key), s.partitions)
	default:
		to = s.turn
		s.turn = (s.turn + 1) % s.partitions
	}
	s.to = undecided
	return s.first + to
}

// outletsOf are those of a stage's streams. Each instance begins its turns elsewhere.
func outletsOf(d *plan.Stage, id plan.InstanceID) []outlet {
	var list []outlet
	first := 0
	for _, stream := range d.Streams() {
		o := outlet{shared: -1}
		for k, to := range stream.Destinations() {
			switch {
			case to.Reader == nil:
				o.shared = first + k
			case to.Instance == to.Reader.Layout().First:
				width := to.Reader.Width()
				o.shuffles = append(o.shuffles, Shuffle{Reader: to.Reader, first: first + k, partitions: width, to: undecided, turn: id.Number % width})
			}
		}
		list, first = append(list, o), first+len(stream.Destinations())
	}
	return list
}

// Shuffles are those of one of the stage's streams.
func (t *Task) Shuffles(stream int) []Shuffle { return t.Batch.outlets[stream].shuffles }

// copies is how many destinations get each value of a stream.
func (o *outlet) copies() int {
	if o.shared < 0 {
		return len(o.shuffles)
	}
	return 1 + len(o.shuffles)
}
