package frame

import (
	"slices"

	"penstock/internal/format"
)

// Version is the highest version of the wire format that this package writes. It reads all up to it.
const Version = format.Frame

// MaxSize is the limit in bytes for a frame, and for what a frame decompresses to.
const MaxSize = 64 << 20

// Frame is one commit of one instance. Its zero value is ready to be filled. A frame is not safe for concurrent change;
// any number of goroutines may read it.
type Frame struct {
	Owner     uint64     // random number of the writing process: tells its frames from those of another with the same epoch
	Epoch     uint64     // generation of the owner; grows at every fence
	Kind      Kind       // what it is: a commit, unless this says otherwise
	Claim     Claim      // its owner's entry in the register
	Commit    uint64     // dense number of the instance's commits, fences included: 1, 2, 3 …; of a seal, that of the commit it has seen
	Run       uint64     // random number of the run: offsets begin at 0 in each; 0: the frame does not tell
	Layout    uint64     // generation of the layout that it was made under; the first one is 0
	Ended     bool       // the instance wrote its last message: nothing follows in this run
	UsedUp    bool       // it ended because its inputs had ended; also of the fences that follow when they go on after all
	Steps     uint64     // committed calls of a source function: the position of a source
	Inputs    []Position // what was consumed
	Timers    []int64    // next due time of every timer, Unix nanoseconds
	Cursor    string     // keyed end hook: the last key already done
	EndPhase  bool       // the end hook is under way, so Cursor means something
	Watermark Watermark  // event time at the end of the frame
	Tally     Tally      // messages given up so far
	Notes     Notes      // how the notes of the instance changed
	State     State      // how the state changed
	Sections  []Section  // what was emitted, by destination
}

// Position says how far one input is consumed.
type Position struct {
	Stream   string // "stage" or "stage/branch"
	Instance uint32 // instance that writes the input
	Offset   uint64 // next offset not yet consumed
	Sequence uint64 // stream sequence at which to look for Offset: a hint, never truth

	Watermark Watermark // of the last frame that was consumed to its end

	// Waiting are messages that others have overtaken, in ascending order; the
	// first is Offset. All others below Reached are consumed. Empty: none, and
	// Reached is not written.
	Waiting []uint64
	Reached uint64
}

// Consumed says whether the message at an offset is consumed.
func (p *Position) Consumed(offset uint64) bool {
	if offset < p.Offset || len(p.Waiting) == 0 {
		return offset < p.Offset
	}
	_, waits := slices.BinarySearch(p.Waiting, offset)
	return offset < p.Reached && !waits
}

// Count is how many messages are consumed.
func (p *Position) Count() uint64 {
	if len(p.Waiting) == 0 {
		return p.Offset
	}
	return p.Reached - uint64(len(p.Waiting))
}

// End is the offset behind everything that is consumed.
func (p *Position) End() uint64 {
	if len(p.Waiting) == 0 {
		return p.Offset
	}
	return p.Reached
}

func (p *Position) isWritable() bool {
	if len(p.Waiting) == 0 {
		return true
	}
	last := p.Waiting[len(p.Waiting)-1]
	for k := range p.Waiting[1:] {
		if p.Waiting[k] >= p.Waiting[k+1] {
			return false
		}
	}
	return p.Waiting[0] == p.Offset && last < p.Reached
}

// StateKind says which part of a State counts.
type StateKind uint8

const (
	StateAbsent StateKind = iota // the state did not change
	StateWhole                   // Whole replaces the state
	StateKeyed                   // Changes are applied to the state, in order
)

// State is how a commit changes the state of its instance. Fields that its Kind does not name are ignored and not
// written.
type State struct {
	Kind    StateKind
	Whole   []byte
	Changes []Change
}
