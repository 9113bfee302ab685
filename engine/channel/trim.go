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

// Trim removes the instance's frames with a sequence below before. The last commit stays: it is the instance's memory.
// So does the newest entry of its owners. Messages of other clients below before go too, on every subject of the
// stream; if another instance has frames in the stream, or that entry is below before, only those on the subject of
// the instance's commits go, which costs the server much more. Without anything to remove Trim does nothing. It makes
// one attempt, while no publish is under way. The error is [ErrMayNot] when Spec.MayTrim is false.
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
	isAlone, err := c.isAlone(ctx, state.NumSubjects, before)
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	if !isAlone {
		opts = append(opts, jetstream.WithPurgeSubject(c.subject))
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

// isAlone says that nothing in the stream before a sequence is kept but the instance's commits.
func (c *Channel) isAlone(ctx context.Context, subjects, before uint64) (bool, error) {
	newest, isEntered, err := c.newest(ctx)
	if err != nil || isEntered && newest.Sequence < before {
		return false, err
	}
	known := uint64(1)
	if newest.Tail > 0 {
		known++
	}
	if subjects <= known {
		return true, nil
	}
	isShared, err := c.isShared(ctx)
	return !isShared, err
}

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
