package task

import (
	"context"
	"time"

	"penstock/engine/internal/plan"
)

// peer is another instance of the pipeline, as a stage knows it: one that it
// reads, or one that reads it. Everything that a stage must know of another goes
// through here. Safe for concurrent use.
type peer interface {
	StageName() string
	written(destination int) uint64                                    // next offset of a destination that it has not committed
	lastCommit() uint64                                                // its sequence
	taken(edge int) uint64                                             // offset that it has committed
	needs(edge int, last uint64) uint64                                // see instance.needs
	hasEnded() bool                                                    // its last frame is committed
	endIsKept() bool                                                   // by its checkpoint
	Holds() (bytes int64, of plan.Capacity)                            // its channel
	goesOn() bool                                                      // it had ended, and goes on for a dead letter
	isOurs(ctx context.Context) (bool, error)                          // its last frame is of this process
	isStill() bool                                                     // nothing more comes from it, unless a person starts a stage again
	doing(edge int, overdue, now time.Time) (what string, isGood bool) // with an input that it does not take from
	poke()                                                             // something changed that it may wait for
}

var _ peer = (*Instance)(nil)

// StageName is the stage's, and where it has partitions the instance's: "tally.2".
func (in *Instance) StageName() string {
	if in.Definition.Width() > 1 {
		return in.ID.String()
	}
	return in.Definition.Name
}

func (in *Instance) written(destination int) uint64 { return in.Progress.next[destination].Load() }

func (in *Instance) lastCommit() uint64 { return in.Progress.Last.Load() }

func (in *Instance) taken(edge int) uint64 { return in.Progress.Taken[edge].Load() }

func (in *Instance) Holds() (bytes int64, of plan.Capacity) {
	return in.Progress.stored.Load(), in.Format.Capacity
}

func (in *Instance) goesOn() bool { return in.reopened }

func (in *Instance) hasEnded() bool { return in.Phase.IsEnded() }

// HadEnded says that the instance has ended, or had and goes on.
func (in *Instance) HadEnded() bool { return in.Phase.IsEnded() || in.reopened }

func (in *Instance) endIsKept() bool { return in.Committed.CoversEnd() }

func (in *Instance) isStill() bool { return in.Phase.isStill() }

// needs is the first sequence of an edge's producer that the checkpoint still
// needs, if that is before the producer's last one. A reader that has taken all
// there is for it needs none: its position does not move with frames that hold
// nothing for it, and a branch on which nothing comes would keep the channel from
// being trimmed.
func (in *Instance) needs(edge int, last uint64) uint64 {
	_, inputs := in.Committed.Covered()
	taken := in.Edges[edge].Position(inputs) // without a commit it is at the start
	if taken.Offset == in.WrittenTo(edge) {
		return max(taken.Sequence, last)
	}
	return taken.Sequence
}

// WrittenTo is the next offset of an edge that its producer has not committed.
func (in *Instance) WrittenTo(edge int) uint64 {
	return in.Edges[edge].written()
}

// WrittenFor is the next offset of a destination.
func (in *Instance) WrittenFor(destination int) uint64 { return in.written(destination) }

// reader is one that reads a stream of an instance.
type reader struct {
	peer
	edge        int // of the reader
	destination int // of the writer
}

// behind is how many messages of an instance a reader has to take. One that has
// ended takes none.
func (in *Instance) behind(r reader) uint64 {
	next, taken := in.Progress.next[r.destination].Load(), r.taken(r.edge)
	if r.hasEnded() || next <= taken {
		return 0
	}
	return next - taken
}

// unread is how far the slowest reader of the stage is behind, in messages.
func (in *Instance) unread() (most uint64) {
	for _, r := range in.readers {
		most = max(most, in.behind(r))
	}
	return most
}

// slowest is the reader that is furthest behind, or nil.
func (in *Instance) slowest() (slowest *reader, most uint64) {
	for k := range in.readers {
		if n := in.behind(in.readers[k]); n > most {
			most, slowest = n, &in.readers[k]
		}
	}
	return slowest, most
}

// ReadersEnded says whether everybody who reads this stage has ended.
func (in *Instance) ReadersEnded() bool {
	for _, r := range in.readers {
		if !r.hasEnded() {
			return false
		}
	}
	return len(in.readers) > 0
}

// isHeldUp says whether a reader that can do nothing has messages to take.
func (in *Instance) isHeldUp() bool {
	for _, r := range in.readers {
		if in.behind(r) > 0 && r.isStill() {
			return true
		}
	}
	return false
}

// takenByReaders changes whenever a reader of the stage has taken something.
func (in *Instance) takenByReaders() (n uint64) {
	for _, r := range in.readers {
		n += r.taken(r.edge)
	}
	return n
}

// hasRoom says whether the channel takes a batch of this many messages and
// bytes. An empty channel takes any batch, else one could wait without end.
func (in *Instance) hasRoom(messages uint64, bytes int) bool {
	unread := in.unread()
	if unread > 0 && unread+messages > in.Format.Capacity.Messages {
		return false
	}
	if in.Progress.stored.Load()+int64(bytes) > int64(in.Format.Capacity.Bytes) {
		in.Run.Checkpointer.Kick()
		return unread == 0
	}
	return true
}
