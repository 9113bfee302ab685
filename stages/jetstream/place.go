package jetstream

import (
	"errors"
	"fmt"
	"time"

	"penstock/engine"
)

// Place is how far a source has read: its committed state.
type Place struct {
	Stream  string    `json:"stream"`
	Created time.Time `json:"created"` // of the stream: one of the same name that was made later is another one
	Next    uint64    `json:"next"`    // sequence behind the last message that was read; 0: nothing is decided yet
	// Read is when the message before Next was stored, if that is the one that was read last: a server that has lost the
	// end of its stream uses the sequences again.
	Read time.Time `json:"read,omitzero"`
	End  uint64    `json:"end,omitempty"` // the last sequence to be read, if the source has one
}

// ErrGap says that messages are gone which the source has not read, or cannot know whether it has. Nothing that was
// committed is in doubt. SourceConfig.AllowGaps goes on behind them.
var ErrGap = errors.New("messages of the stream are gone")

// ErrOtherStream says that the stream is not the one that the place belongs to: it was deleted, made anew, or has
// lost its end.
var ErrOtherStream = errors.New("the stream is not the one that was read")

const allowGaps = "to go on, set SourceConfig.AllowGaps"

// check compares the place with the stream as it is now. It moves the place where that is allowed, and returns what
// to log then.
func (p *Place) check(now state, filtered, allowed bool) (said error, err error) {
	switch {
	case !p.Created.Equal(now.created):
		said = fmt.Errorf("%w: %s was deleted and made anew at %s; the source has read the old one up to message %d",
			ErrOtherStream, p.Stream, now.created.Format(time.RFC3339), p.Next-1)
	case now.LastSeq+1 < p.Next:
		said = fmt.Errorf("%w: %s ends at message %d, and the source has read up to %d: it has lost its end, or was restored from an older copy",
			ErrOtherStream, p.Stream, now.LastSeq, p.Next-1)
	case now.FirstSeq > p.Next:
		said = p.gap(now.FirstSeq-1, filtered, "by a limit of the stream or a purge")
	default:
		return nil, nil
	}
	if !allowed {
		return nil, engine.Fatal(fmt.Errorf("%w: %s, or start from the beginning (a fresh run)", said, allowGaps))
	}
	switch {
	case errors.Is(said, ErrGap):
		p.Next = now.FirstSeq
	case p.Created.Equal(now.created):
		p.Next = now.LastSeq + 1
	default:
		p.Created, p.Next = now.created, max(now.FirstSeq, 1)
		if p.End > 0 {
			p.End = max(now.LastSeq, 1)
		}
	}
	p.Read = time.Time{}
	return said, nil
}

// gap is an ErrGap of the messages from the place to the last one that is gone.
func (p *Place) gap(last uint64, filtered bool, how string) error {
	some := "the source had not read them"
	if filtered {
		some = "the source may not have read all of its subjects among them"
	}
	return fmt.Errorf("%w: %d to %d of %s were removed %s, and %s", ErrGap, p.Next, last, p.Stream, how, some)
}

// reused is for a message before the place that is not the one which was read there.
func (p *Place) reused(m stored, allowed bool) (said, err error) {
	said = fmt.Errorf("%w: message %d of %s was stored at %s, and the source has read one that was stored at %s: the server has lost the end of the stream and used its sequences again",
		ErrOtherStream, m.sequence, p.Stream, m.time.Format(time.RFC3339Nano), p.Read.Format(time.RFC3339Nano))
	if !allowed {
		return nil, engine.Fatal(fmt.Errorf("%w: %s, or start from the beginning (a fresh run)", said, allowGaps))
	}
	return said, nil
}
