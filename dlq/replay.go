package dlq

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// DefaultMaxRounds is how many rounds a message may fail in before Replay wants to be told to try again.
const DefaultMaxRounds = 3

// ReplayOptions say how a letter is replayed. The zero value sends it, as it is, to the stage that gave up.
type ReplayOptions struct {
	To    string  // another stage, which takes the message as if it came from its input
	Value *[]byte // in place of the letter's value, encoded by the letter's codec
	// Original brings back the value that the message had before a replay replaced it: Letter.Original.
	Original bool
	// MaxRounds refuses a letter that has failed in so many rounds, this one included. Default DefaultMaxRounds; negative:
	// no limit.
	MaxRounds int
}

// Replay asks the stage to take the letter's message again. It writes a request; the stage takes it when it runs, now
// or later. The letter stays until the message has had its effect, which is exactly once, however often and by whomever
// Replay is called: ErrPending says that a request waits already, to whichever stage. Should the message fail again a
// letter of the next round takes the place of this one. Requests are taken in the order of the calls: replay in the
// order of [Queue.SelectInOrder].
//
// ErrStale says that the letter is not there any more as it was read, ErrRounds that it has failed too often. Like Put,
// Replay outlasts an outage of the broker. The letter may have been read without its value.
func (q *Queue) Replay(ctx context.Context, l Letter, o ReplayOptions) error {
	if err := q.replay(ctx, l, o); err != nil {
		return fmt.Errorf("dlq: replay %s: %w", l.ID(), err)
	}
	return nil
}

func (q *Queue) replay(ctx context.Context, l Letter, o ReplayOptions) error {
	if l.Unreadable {
		return fmt.Errorf("%w: it can only be shown and discarded", ErrDamaged)
	}
	stored, err := q.reread(ctx, l)
	if err != nil {
		return err
	}
	if source := stored.source(); source != "" {
		return fmt.Errorf("%w letter: source %s could not send its value, and no stage reads it: fix the cause, let the source emit the value again if it can, then discard this letter", ErrInvalid, source)
	}
	if most := int(limit(int64(o.MaxRounds), DefaultMaxRounds)); most > 0 && stored.Round >= most {
		return fmt.Errorf("%w: %d of at most %d: fix the cause and raise the limit, or discard it", ErrRounds, stored.Round, most)
	}
	r := Replay{Letter: stored, Stage: stored.Stage, Instance: stored.Instance, LetterSequence: stored.Sequence}
	if stored.To != "" {
		r.Stage, r.Instance = stored.To, 0
	}
	if o.To != "" && o.To != r.Stage {
		if err := checkName("stage", o.To); err != nil {
			return err
		}
		r.Stage, r.Instance = o.To, 0
		if o.To == stored.Stage {
			r.Instance = stored.Instance
		}
	}
	if q.run != nil {
		if err := q.run.CheckReplay(ctx, r.Stage, r.Instance, stored); err != nil {
			return err
		}
		if r.Instance, err = q.run.Address(ctx, r.Stage, r.Instance); err != nil {
			return err
		}
	}
	if o.Value != nil {
		if q.run != nil {
			if err := q.run.CheckValue(r.Stage, stored, *o.Value); err != nil {
				return err
			}
		}
		r.Letter.replace(*o.Value)
	}
	if o.Original && stored.Original != nil {
		r.Letter.Value, r.Letter.Original, r.Letter.Edited = stored.Original, nil, false
	}
	return q.want(ctx, r)
}

// want writes a request.
func (q *Queue) want(ctx context.Context, r Replay) error {
	msg, err := q.fit(func(lim limits, write string) *nats.Msg { return encodeReplay(r, lim, write) })
	if err != nil {
		return err
	}
	return q.persist(ctx, "replay", r.Letter.ID(), func() error { return q.request(ctx, msg, r) })
}

// replace puts another value into the letter. The first one stays until a replay is done.
func (l *Letter) replace(value []byte) {
	if !l.Edited {
		l.Original = append([]byte{}, l.Value...)
	}
	l.Value, l.Edited = value, true
}

// reread gets the letter with its value, provided that it is still the same.
func (q *Queue) reread(ctx context.Context, l Letter) (Letter, error) {
	var stored Letter
	err := q.persist(ctx, "replay", l.ID(), func() error {
		if current, err := q.isCurrent(ctx, l); err != nil {
			return err
		} else if !current {
			return fmt.Errorf("%w: read it again", ErrStale)
		}
		return q.once(ctx, func(ctx context.Context) (err error) {
			var found bool
			if stored, found, err = q.at(ctx, l.Sequence); err == nil && !found {
				err = fmt.Errorf("%w: read it again", ErrStale)
			}
			return err
		})
	})
	return stored, err
}

// request publishes once, and after a failure looks what is there, as try does for letters.
func (q *Queue) request(ctx context.Context, msg *nats.Msg, r Replay) error {
	ctx, cancel := context.WithTimeout(ctx, q.retry.answer)
	defer cancel()
	stream, err := q.replays.open(ctx, q)
	if err != nil {
		return err
	}
	_, cause := q.publish(ctx, msg)
	if cause == nil {
		return nil
	}
	there, err := stream.GetLastMsgForSubject(ctx, r.Letter.origin().anyReplay(q.pipeline))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return expect(msg, 0, cause)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		q.replays.forget()
		return errRemade
	case err != nil:
		return fmt.Errorf("%w; reading it back: %w", cause, err)
	case there.Header.Get(headerWrite) == msg.Header.Get(headerWrite):
		return nil
	}
	pending, err := decodeReplay(there)
	if err == nil && pending.LetterSequence == r.LetterSequence && pending.Letter.At.Equal(r.Letter.At) {
		return fmt.Errorf("%w: stage %s handles it when it runs", ErrPending, pending.Stage)
	}
	return expect(msg, there.Sequence, cause) // left behind by an earlier write of the letter
}

// errRemade makes persist pause and try again; it is not the letters that are gone.
var errRemade = errors.New("the stream of the replays was deleted")
