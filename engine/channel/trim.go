package channel

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"penstock/engine/faultpoint"

	"github.com/nats-io/nats.go/jetstream"
)

// Trim removes the instance's frames with a sequence below before. The last frame stays: it is the instance's memory.
// Messages of other clients below before go too, on every subject of the stream; if another instance has frames in the
// stream, only those on the instance's own subject go. Without anything to remove Trim does nothing. It makes one
// attempt, while no publish is under way. The error is [ErrMayNot] when Spec.MayTrim is false.
func (c *Channel) Trim(ctx context.Context, before uint64) error {
	var state jetstream.StreamState
	err := c.once(ctx, func(ctx context.Context) (err error) {
		state, err = c.state(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	if before = min(before, state.LastSeq); before <= state.FirstSeq || state.Msgs == 0 {
		return nil
	}
	rec, found, err := c.last(ctx)
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	if before = min(before, rec.Sequence); !found || before <= state.FirstSeq {
		return nil
	}
	opts := []jetstream.StreamPurgeOpt{jetstream.WithPurgeSequence(before)}
	if state.NumSubjects > 1 {
		shared, err := c.isShared(ctx)
		if err != nil {
			return fmt.Errorf("trim: %w", err)
		}
		if shared {
			opts = append(opts, jetstream.WithPurgeSubject(c.subject))
		}
	}
	faultpoint.Hit(faultpoint.MidTrim, c.spec.Stage)
	err = c.once(ctx, func(ctx context.Context) error { return c.purge(ctx, opts) })
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("trim: %w", c.lostError())
	}
	if err != nil {
		return fmt.Errorf("trim stream %s below sequence %d: %w", c.name, before, err)
	}
	return nil
}

// purge keeps clients from publishing meanwhile to a stream of the embedded server. After a write that failed for want
// of space nats-server 2.15 hangs in a purge of that stream, so no write may come between MayTrim and the purge.
func (c *Channel) purge(ctx context.Context, opts []jetstream.StreamPurgeOpt) error {
	if c.broker.Embedded() {
		c.writing.Lock()
		defer c.writing.Unlock()
	}
	if c.spec.MayTrim != nil && !c.spec.MayTrim() {
		return ErrMayNot
	}
	return c.stream.Load().Purge(ctx, opts...)
}

// mostInstances bounds how many subjects are looked at for another instance. With more it is assumed that there is one.
const mostInstances = 64

// isShared says whether another instance has frames in the stream: their subjects end in their numbers.
func (c *Channel) isShared(ctx context.Context) (bool, error) {
	prefix := strings.TrimSuffix(c.subject, strconv.Itoa(c.spec.Instance))
	ctx, cancel := attempt(ctx, c.broker, c.requests.get())
	defer cancel()
	stream, err := c.broker.JetStream().Stream(ctx, c.name)
	if err != nil {
		return false, fmt.Errorf("stream %s: %w", c.name, err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(prefix+"*"))
	if err != nil {
		return false, fmt.Errorf("stream %s: list its subjects: %w", c.name, err)
	}
	looked := 0
	for subject := range info.State.Subjects {
		if _, err := strconv.ParseUint(strings.TrimPrefix(subject, prefix), 10, 32); err != nil || subject == c.subject {
			continue
		}
		if looked++; looked > mostInstances {
			return true, nil
		}
		msg, err := stream.GetLastMsgForSubject(ctx, subject)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
		case err != nil:
			return false, fmt.Errorf("stream %s: read the last message of %s: %w", c.name, subject, err)
		case isMarked(msg.Header):
			return true, nil
		}
	}
	return false, nil
}
