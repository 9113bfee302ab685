package channel

import (
	"errors"
	"fmt"

	"penstock/engine/frame"
	"penstock/engine/remedy"

	"github.com/nats-io/nats.go/jetstream"
)

var (
	// ErrForeign: a stream of this name belongs to another data directory.
	ErrForeign = errors.New("stream belongs to another data directory")

	// ErrPartitions: a stage ran in another number of partitions than it has now; see [PartitionsError].
	ErrPartitions = errors.New("another number of partitions")

	// ErrStreamLost: the stream is not there any more.
	ErrStreamLost = errors.New("stream is gone")

	// ErrSettings: the stream has settings that a channel cannot work with, and that cannot be changed back.
	ErrSettings = errors.New("stream has unusable settings")

	// ErrCorruptFrame: a stored frame is damaged.
	ErrCorruptFrame = errors.New("damaged frame")

	// ErrConflict: a publish was refused, another writer has written since.
	ErrConflict = errors.New("another writer committed first")

	// ErrUnknown: it is not known whether a publish took effect.
	ErrUnknown = errors.New("the outcome is unknown: the frame may be stored or not")

	// ErrFull: a publish was refused for lack of room. Room comes back by trimming.
	ErrFull = errors.New("channel is full")

	// ErrMayNot: Spec.MayTrim did not permit it.
	ErrMayNot = errors.New("must not be trimmed now")

	// ErrTooLarge: the frame is larger than the server takes.
	ErrTooLarge = errors.New("frame is too large for the server")

	// ErrGap: messages that a reader has not seen are missing.
	ErrGap = errors.New("messages are missing")

	// ErrAhead: the channel ends, or starts over, before what a reader has already seen.
	ErrAhead = errors.New("channel has lost its end")
)

// restore is what can be done about a channel that is not what it was.
var restore = "restore the stream, or start over with " + remedy.Fresh.String()

// GapError tells which messages a reader misses. It wraps [ErrGap].
type GapError struct {
	Stream   string // JetStream name
	Instance int    // the writer
	Branch   string // "": the main stream of the stage
	Expected uint64 // offset of the first missing message
	Found    uint64 // offset of the first message that is there
	Sequence uint64 // of the frame that has it
}

func (e *GapError) Error() string {
	return fmt.Sprintf("%d %v in stream %s (instance %d%s): offsets %d to %d; the next frame, sequence %d, starts at %d: the stream was trimmed, purged or damaged; "+restore,
		e.Found-e.Expected, ErrGap, e.Stream, e.Instance, ofBranch(e.Branch), e.Expected, e.Found-1, e.Sequence, e.Found)
}

// Unwrap returns ErrGap.
func (e *GapError) Unwrap() error { return ErrGap }

// Remedies is to start over.
func (e *GapError) Remedies() []remedy.Remedy { return []remedy.Remedy{remedy.Fresh} }

// AheadError tells how far a reader is ahead of its channel. It wraps [ErrAhead].
type AheadError struct {
	Stream   string
	Instance int
	Branch   string
	Expected uint64 // what the reader would read next
	Found    uint64 // what the channel would write next, or wrote again
	Sequence uint64 // of the frame that shows it; 0: the channel is empty
}

func (e *AheadError) Error() string {
	where := "it is empty"
	if e.Sequence > 0 {
		where = fmt.Sprintf("at sequence %d it is at offset %d", e.Sequence, e.Found)
	}
	return fmt.Sprintf("stream %s (instance %d%s): %v: the reader has consumed everything below offset %d, but %s (power cut without sync, purge, or an old copy restored?); "+restore,
		e.Stream, e.Instance, ofBranch(e.Branch), ErrAhead, e.Expected, where)
}

// Unwrap returns ErrAhead.
func (e *AheadError) Unwrap() error { return ErrAhead }

// Remedies is to start over.
func (e *AheadError) Remedies() []remedy.Remedy { return []remedy.Remedy{remedy.Fresh} }

func ofBranch(branch string) string {
	if branch == "" {
		return ""
	}
	return ", branch " + branch
}

func (c *Channel) lostError() error {
	return remedy.Errorf("%w: %s: a client deleted it, or the server lost it; frames in it that were not read yet are lost; restore the stream, or start over with %v",
		ErrStreamLost, c.name, remedy.Fresh)
}

// corruptError says why a stored frame cannot be read. One of a newer version is not damaged.
func (c *Channel) corruptError(sequence uint64, cause error) error {
	if errors.Is(cause, frame.ErrNewerVersion) {
		return fmt.Errorf("stream %s, sequence %d: %w", c.name, sequence, cause)
	}
	return remedy.Errorf("%w: stream %s, sequence %d: %w; %v shows whether %v can repair it without a loss, for example by correcting a bit or removing a message that is not a frame; if not, restore the stream, or start over with %v",
		ErrCorruptFrame, c.name, sequence, cause, remedy.Examine, remedy.Repair, remedy.Fresh)
}

func apiError(err error) *jetstream.APIError {
	if je := jetstream.JetStreamError(nil); errors.As(err, &je) {
		return je.APIError()
	}
	return nil
}
