package dlq

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NextReplay finds the first request for an instance with sequence from or higher; false: there is none. A stage takes
// a request so: IsCurrent, the message's effect committed together with Sequence as its position, then Settle. After a
// crash the position tells whether the effect was; requests up to it are settled, not taken.
//
// A request that cannot be read is returned with ErrDamaged and nothing but its Sequence, for Withdraw. NextReplay does
// not wait for a broker that is away.
func (q *Queue) NextReplay(ctx context.Context, stage string, instance int, from uint64) (Replay, bool, error) {
	r, found, err := q.nextReplay(ctx, stage, instance, from)
	if err != nil {
		err = fmt.Errorf("dlq: next replay of %s.%d from sequence %d: %w", stage, instance, from, err)
	}
	return r, found, err
}

func (q *Queue) nextReplay(ctx context.Context, stage string, instance int, from uint64) (Replay, bool, error) {
	if err := (origin{stage: stage, instance: instance, input: "any"}).check(); err != nil {
		return Replay{}, false, err
	}
	stream, err := q.replays.find(ctx, q)
	if err != nil || stream == nil {
		return Replay{}, false, err
	}
	subject := fmt.Sprintf("%s.%s.%d.replay.>", q.pipeline, stage, instance)
	msg, err := stream.GetMsg(ctx, max(from, 1), jetstream.WithGetMsgSubject(subject))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return Replay{}, false, nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		q.replays.forget()
		return Replay{}, false, nil
	case err != nil:
		return Replay{}, false, err
	}
	r, err := decodeReplay(msg)
	if err != nil {
		return Replay{Sequence: msg.Sequence}, true, err
	}
	return r, true, nil
}

// IsCurrent says whether the letter that the request was made of is still there. Otherwise it was discarded, or
// replaced after a replay that failed: the request must have no effect, Withdraw it. It outlasts an outage of the
// broker.
func (q *Queue) IsCurrent(ctx context.Context, r Replay) (bool, error) {
	current := false
	err := q.persist(ctx, "look up", r.Letter.ID(), func() (err error) {
		current, err = q.isCurrent(ctx, r.Letter)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("dlq: look up %s: %w", r.Letter.ID(), err)
	}
	return current, nil
}

// Settle ends a replay whose effect is committed: it deletes the letter and then the request. After a crash in between
// it is called again. It outlasts an outage of the broker.
func (q *Queue) Settle(ctx context.Context, r Replay) error {
	err := q.discard(ctx, r.Letter)
	if err == nil {
		err = q.withdraw(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("dlq: settle the replay of %s: %w", r.Letter.ID(), err)
	}
	return nil
}

// Withdraw deletes the request alone: it is not current or damaged, or has failed and the letter of the next round is
// Put. It outlasts an outage of the broker.
func (q *Queue) Withdraw(ctx context.Context, r Replay) error {
	if err := q.withdraw(ctx, r); err != nil {
		return fmt.Errorf("dlq: withdraw the replay of sequence %d: %w", r.Sequence, err)
	}
	return nil
}

func (q *Queue) withdraw(ctx context.Context, r Replay) error {
	return q.persist(ctx, "withdraw", strconv.FormatUint(r.Sequence, 10), func() error {
		return q.once(ctx, func(ctx context.Context) error {
			stream, err := q.replays.find(ctx, q)
			if err != nil || stream == nil {
				return err
			}
			if err = q.remove(ctx, stream, r.Sequence); errors.Is(err, jetstream.ErrStreamNotFound) {
				q.replays.forget()
				return nil
			}
			return err
		})
	})
}

// PassOn makes the request one to another instance of its stage, which has the key of its value. There is one request
// for a letter at any time: a process that dies in between leaves none, and the letter. It outlasts an outage of the
// broker.
func (q *Queue) PassOn(ctx context.Context, r Replay, instance int) error {
	err := q.withdraw(ctx, r)
	if err == nil {
		r.Instance = instance
		err = q.want(ctx, r)
	}
	if err != nil && !errors.Is(err, ErrPending) { // else an owner before, or a person, has asked
		return fmt.Errorf("dlq: pass on the replay of %s: %w", r.Letter.ID(), err)
	}
	return nil
}

// OnReplay calls fn, in one goroutine, about when a request for an instance is written. It is a hint only: it may come
// too early, twice, or, when the connection fails, not at all. stop waits for fn to return; fn must not call it.
func (q *Queue) OnReplay(fn func(stage string, instance int)) (stop func(), err error) {
	done := make(chan struct{})
	sub, err := q.js.Conn().Subscribe(q.pipeline+".*.*.replay.>", func(msg *nats.Msg) {
		part := strings.SplitN(msg.Subject, ".", 4)
		if instance, err := strconv.Atoi(part[2]); err == nil {
			fn(part[1], instance)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("dlq: subscribe to replays: %w", err)
	}
	sub.SetClosedHandler(func(string) { close(done) })
	return func() {
		// It fails only when the subscription has ended with its connection.
		_ = sub.Unsubscribe()
		<-done
	}, nil
}
