package register

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
)

// Claimant takes instances over for one owner. Not safe for concurrent use.
type Claimant struct {
	Log   ports.OwnedLog
	Clock ports.Clock
	Owner uint64      // random number of the owner
	Notes frame.Notes // of its entries: where it is, for people
	Stage string      // of fault points

	// OnTry is told why a step is tried again. Default: not called.
	OnTry func(cause error)
}

// Taken says what a take-over came to.
type Taken struct {
	Epoch  uint64
	Claim  uint64 // sequence of the owner's entry
	Seen   uint64 // sequence of the newest commit that was known when it was sealed; there may be newer ones. 0: none
	Commit uint64 // number of that commit
	Seal   uint64 // sequence of the seal; 0: it is not sealed yet
	Fence  uint64 // sequence of the fence
	Claims int    // how often it was claimed: once, unless the answer of a seal was lost
}

// LostError says that another owner came first, or after. The claimant that gets it steps back.
type LostError struct {
	Epoch      uint64 // what the claimant had, or would have had
	OwnerEpoch uint64 // what the other one has
	Owner      uint64
}

func (e *LostError) Error() string {
	return fmt.Sprintf("another owner has claimed the instance: its epoch is %d, ours would be %d", e.OwnerEpoch, e.Epoch)
}

func lostTo(rec channel.Record, epoch uint64) error {
	return &LostError{Epoch: epoch, OwnerEpoch: rec.Frame.Epoch, Owner: rec.Frame.Owner}
}

// IsReplacedBy says whether a frame at the end of the subject of commits shows that the owner was replaced.
func (t *Taken) IsReplacedBy(f *frame.Frame) bool { return f.Epoch > t.Epoch }

// Last returns the last frame that counts for an owner that knows the one at a sequence: its seal, or its last commit.
// Seals of its own claim behind that are copies. The server stores them, from any client, while the claim is the
// newest.
func (t *Taken) Last(ctx context.Context, log ports.OwnedLog, known uint64) (last channel.Record, found bool, err error) {
	last, found, err = log.End(ctx)
	if err != nil || !found || last.Frame.Kind != frame.KindSeal || last.Sequence <= known || t.IsReplacedBy(last.Frame) {
		return last, found, err
	}
	isKnown := false
	tail := last.Tail
	err = log.Replay(ctx, known, func(rec channel.Record) error {
		if rec.Sequence == known || rec.Frame.Kind.IsCommit() {
			last, isKnown = rec, true
		}
		return nil
	})
	if err == nil && !isKnown { // a newer owner has trimmed it meanwhile
		return log.End(ctx)
	}
	last.Tail = tail
	return last, found, err
}

// isOpen says that a publish may be sent again once it is known what became of it.
func isOpen(err error) bool {
	return errors.Is(err, channel.ErrConflict) || errors.Is(err, channel.ErrUnknown) || errors.Is(err, channel.ErrFull)
}
