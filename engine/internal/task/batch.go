package task

import (
	"sync"

	"penstock/engine/frame"
	"penstock/engine/internal/plan"
)

// batch is what an instance has processed and not yet committed: the outputs by destination, and how many calls made
// them. A source's function and the loop share it under its lock. In every other stage only the loop uses it, without
// the lock.
type batch struct {
	mu       sync.Mutex
	isShared bool // it is a source's
	sections []frame.Section
	outlets  []outlet // by stream
	Bytes    int
	Calls    int // that ended well
	Emitted  uint64

	taken uint64      // messages; of a source, calls
	tally frame.Tally // messages given up
	aging []aged      // whose age is not noted yet: of replays, and then by edge
	ages  []aged

	most   int    // calls that the next commit may have
	closed bool   // it takes no further call
	last   call   // that succeeded since the last commit
	spare  []byte // buffer of a settled frame, to be used again

	batchCall
	Scratch []byte
}

// batchCall is what the call at hand has done to the batch, and what was there before it.
type batchCall struct {
	CallErr  error        // an emission was refused
	unfit    unfits       // of a source's call: values that were not sent
	passed   frame.Tally  // values that were given up
	callTime int64        // what the emissions inherit; 0: the time of the first
	before   int          // bytes before the call
	marks    []frame.Mark // the ends of the sections before it
	done     []uint32     // messages before it
}

func newBatch(d *plan.Stage, id plan.InstanceID) *batch {
	destinations := d.Destinations()
	b := &batch{
		most:      batchCalls,
		outlets:   outletsOf(d, id),
		aging:     make([]aged, 1+len(d.Edges(id))),
		sections:  make([]frame.Section, len(destinations)),
		batchCall: batchCall{marks: make([]frame.Mark, len(destinations)), done: make([]uint32, len(destinations))},
	}
	for i, d := range destinations {
		b.sections[i].Branch, b.sections[i].Partition = d.Branch(), uint32(d.Instance)
	}
	return b
}

// reset empties the batch. Its sections go on at the given offsets.
func (b *batch) reset(next []uint64) {
	for i := range b.sections {
		b.sections[i].Reset(next[i])
	}
	b.Bytes, b.Calls, b.Emitted, b.CallErr = 0, 0, 0, nil
	b.taken, b.ages, b.tally = 0, nil, frame.Tally{}
	clear(b.aging)
	b.begin(0)
}

// lock guards what a source's function and the loop share. In every other stage it does nothing.
func (b *batch) lock() {
	if b.isShared {
		b.mu.Lock()
	}
}

func (b *batch) unlock() {
	if b.isShared {
		b.mu.Unlock()
	}
}

// begin marks the start of a call. What it emits inherits a time.
func (b *batch) begin(inherit int64) {
	for i := range b.sections {
		b.marks[i], b.done[i] = b.sections[i].Mark(), b.sections[i].Count
	}
	b.CallErr, b.callTime, b.before = nil, inherit, b.Bytes
	b.unfit.clear()
	b.passed = frame.Tally{}
}

// count adds what the present call gave up to the batch.
func (b *batch) count() {
	b.tally, b.passed = b.tally.Plus(b.passed), frame.Tally{}
}

// undo drops what the present call emitted.
func (b *batch) undo() {
	for i := range b.sections {
		b.sections[i].Truncate(b.marks[i])
	}
	b.sum()
	b.CallErr = nil
}

// callBytes returns how many bytes the present call has emitted.
func (b *batch) callBytes() int {
	b.lock()
	defer b.unlock()
	return b.Bytes - b.before
}

func (b *batch) sum() {
	b.Bytes, b.Emitted = 0, 0
	for i := range b.sections {
		b.Bytes += b.sections[i].Len()
		b.Emitted += uint64(b.sections[i].Count)
	}
}

// copied returns a copy of the sections. Their contents are shared.
func (b *batch) copied() []frame.Section { return append([]frame.Section(nil), b.sections...) }

// split moves what the present call has emitted to the next batch, since it is not part of this commit. It runs right
// after the frame was encoded.
func (b *batch) split() {
	for i := range b.sections {
		section := &b.sections[i]
		it := section.Messages()
		it.Skip(uint64(b.done[i]))
		var rest []frame.Message
		for m, ok := it.Next(); ok; m, ok = it.Next() {
			rest = append(rest, frame.Message{Key: append([]byte(nil), m.Key...), Time: m.Time, Value: append([]byte(nil), m.Value...)})
		}
		section.Reset(section.Base + uint64(b.done[i]))
		b.marks[i], b.done[i] = section.Mark(), 0
		for _, m := range rest {
			section.Append(m)
		}
	}
	b.Calls, b.taken, b.before, b.tally = 0, 0, 0, frame.Tally{}
	b.sum()
}
