package engine

import (
	"fmt"
	"sync"

	"penstock/engine/frame"
)

// batch is what an instance has processed and not yet committed: the outputs
// by destination and how many calls they came from. For a source it is shared
// by the function's goroutine and the loop; for every other stage the lock is
// free.
type batch struct {
	mu       sync.Mutex
	sections []frame.Section
	marks    []frame.Mark // before the call at hand
	done     []uint32     // messages before the call at hand
	bytes    int
	calls    int // that ended well
	emitted  uint64

	taken uint64 // messages; of a source, calls
	aging []aged // whose age is not noted yet: of replays, and then by input
	ages  []aged

	callErr  error // an emission of the call at hand was refused
	callTime int64 // what the call's emissions inherit; 0: the time of the first
	scratch  []byte
}

func newBatch(destinations []*streamDefinition, inputs int) *batch {
	b := &batch{
		aging:    make([]aged, 1+inputs),
		sections: make([]frame.Section, len(destinations)),
		marks:    make([]frame.Mark, len(destinations)),
		done:     make([]uint32, len(destinations)),
	}
	for i, stream := range destinations {
		b.sections[i].Branch = stream.branch
	}
	return b
}

// reset empties the batch; the sections go on at the given offsets.
func (b *batch) reset(next []uint64) {
	for i := range b.sections {
		b.sections[i].Reset(next[i])
	}
	b.bytes, b.calls, b.emitted, b.callErr = 0, 0, 0, nil
	b.taken, b.ages = 0, nil
	clear(b.aging)
	b.begin(0)
}

// begin marks the start of a call, whose emissions inherit a time.
func (b *batch) begin(inherit int64) {
	for i := range b.sections {
		b.marks[i], b.done[i] = b.sections[i].Mark(), b.sections[i].Count
	}
	b.callErr, b.callTime = nil, inherit
}

// undo drops what the call at hand emitted.
func (b *batch) undo() {
	for i := range b.sections {
		b.sections[i].Truncate(b.marks[i])
	}
	b.sum()
	b.callErr = nil
}

func (b *batch) sum() {
	b.bytes, b.emitted = 0, 0
	for i := range b.sections {
		b.bytes += b.sections[i].Len()
		b.emitted += uint64(b.sections[i].Count)
	}
}

// completed returns the sections; those of a source without what the call
// under way emitted so far.
func (b *batch) completed(ofSource *feeder) []frame.Section {
	sections := append([]frame.Section(nil), b.sections...)
	if ofSource != nil {
		for i := range sections {
			sections[i].Truncate(b.marks[i])
		}
	}
	return sections
}

// split moves the emissions of the call at hand to the next batch: they are
// not part of what is committed now. It runs right after the frame was
// encoded.
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
	b.calls, b.taken = 0, 0
	b.sum()
}

// emitTo encodes a value and appends it to a section of the batch.
func emitTo[T any](in *session, destination int, codec Codec[T], value T, options []EmitOption) {
	b := in.batch
	if b.callErr != nil {
		return
	}
	data, err := codec.Append(b.scratch[:0], value)
	if err != nil {
		b.callErr = fmt.Errorf("stage %s: encode a value for %s as %s: %w", in.definition.name, in.definition.destinations()[destination], codec.Name(), err)
		return
	}
	b.scratch = data
	if len(data) > in.limits.value {
		b.callErr = &TooLargeError{Stage: in.definition.name, Stream: in.definition.destinations()[destination].String(), Size: len(data), Limit: in.limits.value}
		return
	}
	if in.source != nil { // not before: the codec is the user's, and may hang
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	if b.callTime == 0 {
		b.callTime = in.run.clock.now().UnixNano()
	}
	m := frame.Message{Time: b.callTime, Value: data}
	if len(options) > 0 {
		var e emission
		for _, option := range options {
			option(&e)
		}
		if e.key != "" {
			m.Key = []byte(e.key)
		}
		if !e.time.IsZero() {
			m.Time = e.time.UnixNano()
		}
	}
	section := &b.sections[destination]
	before := section.Len()
	section.Append(m)
	b.bytes += section.Len() - before
	b.emitted++
}

// TooLargeError says that a stage emitted more at once than the server takes
// in one message.
type TooLargeError struct {
	Stage  string
	Stream string // "" for the outputs of one call together, and the state
	Size   int
	State  int    // bytes of Size that are state
	Key    string // whose state it is, in a keyed stage
	Limit  int
}

func (e *TooLargeError) Error() string {
	what := fmt.Sprintf("emitted a value of %d bytes to %s", e.Size, e.Stream)
	if e.Stream == "" {
		whose := ""
		if e.Key != "" {
			whose = fmt.Sprintf(" of key %.100q", e.Key)
		}
		what = fmt.Sprintf("made in one call %d bytes of outputs and %d of state%s", e.Size-e.State, e.State, whose)
	}
	return fmt.Sprintf("stage %s %s, more than the %d bytes that fit into one message of the server: emit less at once, keep less in the state, or raise the server's max_payload", e.Stage, what, e.Limit)
}
