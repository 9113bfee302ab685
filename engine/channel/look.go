package channel

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/frame"
	"penstock/engine/internal/rule"

	"github.com/nats-io/nats.go/jetstream"
)

// look decides what a frame means at the reader's position.
func (r *Reader) look(ctx context.Context, item *item) error {
	if item.sequence < r.seen {
		r.swallow(item)
		return nil
	}
	if !isMarked(item.msg.Header) {
		return r.setAside(ctx, item, noCommit)
	}
	f, err := acted(frame.DecodeOutputs(item.msg.Data))
	if err != nil {
		return r.refuse(ctx, item, r.damaged(ctx, item, err))
	}
	if reason, err := r.channel.check(r.channel.subject, item.sequence, item.msg.Header, item.msg.Data); err != nil {
		return err
	} else if reason != "" {
		return r.setAside(ctx, item, reason)
	} else if f.Kind == frame.KindClaim {
		return r.setAside(ctx, item, misplaced)
	}
	id := commitID{f.Epoch, f.Commit}
	if item.sequence == r.seen && r.seenCommit != (commitID{}) {
		if id != r.seenCommit {
			return r.rewritten(f, item.sequence)
		}
		r.swallow(item)
		return nil
	}
	if err := r.take(ctx, item, f); err != nil {
		return err
	}
	r.seen, r.seenCommit = item.sequence, id
	return r.checkConfirmed(item)
}

// setAside passes over a message that is no commit.
func (r *Reader) setAside(ctx context.Context, item *item, reason string) error {
	if item.sequence == r.seen && r.seenCommit != (commitID{}) { // a frame was there: the server lost it
		return r.aheadError(0, item.sequence)
	}
	r.channel.setAside(item.sequence, item.time, item.msg.Data, reason)
	r.swallow(item)
	r.passed = max(r.passed, item.sequence)
	if item.pending > 0 || r.confirmed {
		return nil
	}
	if err := r.checkEnd(ctx); err != nil {
		return err
	}
	return r.checkConfirmed(item)
}

// looked is the sequence up to which everything was looked at.
func (r *Reader) looked() uint64 { return max(r.seen, r.passed) }

// checkConfirmed goes back to the start when everything behind the hint was looked at and nothing showed that the
// position is not before it.
func (r *Reader) checkConfirmed(item *item) error {
	if item.pending > 0 || r.confirmed {
		return nil
	}
	if r.whole {
		r.confirmed = true
		return nil
	}
	r.fromStart = true
	return errHint
}

// take moves the position over the frame, and queues what it has for the reader.
func (r *Reader) take(ctx context.Context, item *item, f *frame.Frame) error {
	s := r.section(f)
	if s == nil {
		r.pass(item, f, f.Ended)
		return nil
	}
	if s.Base > r.expected {
		if err := r.gap(ctx, s.Base, item.sequence); err != nil {
			return err
		}
	}
	next := s.Next()
	if next < r.expected && rule.PositionCheck {
		return r.below(ctx, item, f, next)
	}
	r.confirmed = true
	if s.Count == 0 || next == r.expected && rule.PositionCheck {
		r.pass(item, f, f.Ended)
		r.taken = item.sequence
		return nil
	}
	d := Delivery{Section: *s}
	if rule.PositionCheck {
		d.Skip = r.expected - s.Base
	}
	r.expected = next
	r.taken = item.sequence
	r.deliver(item, f, d)
	return nil
}

// section returns what the frame has for this reader: nil when it does not mention it.
func (r *Reader) section(f *frame.Frame) *frame.Section {
	for i := range f.Sections {
		if s := &f.Sections[i]; s.Branch == r.cfg.Branch && s.Partition == r.cfg.Partition {
			return s
		}
	}
	return nil
}

// gap refuses, unless what is missing may be before the place where the reading began, or is there: another process
// that was the owner may have put its consumer in the place of ours.
func (r *Reader) gap(ctx context.Context, found, sequence uint64) error {
	if !r.whole {
		r.fromStart = true
		return errHint
	}
	if rule.BaseOffsetCheck {
		next, stored, err := r.source.next(ctx, r.looked()+1)
		if err != nil {
			return fmt.Errorf("%w: it skipped messages, and the stream cannot be read: %w", errFeed, err)
		}
		if stored && next < sequence {
			return fmt.Errorf("%w: it skipped frames from sequence %d on", errFeed, next)
		}
		return &GapError{
			Stream: r.channel.name, Instance: r.channel.spec.Instance, Branch: r.cfg.Branch,
			Expected: r.expected, Found: found, Sequence: sequence,
		}
	}
	r.expected = found
	return nil
}

// below passes over a frame that ends before the position. Offsets do not go back in a channel, so that is right for
// frames before those that were taken, and wrong for one behind them or for the last one there is.
func (r *Reader) below(ctx context.Context, item *item, f *frame.Frame, next uint64) error {
	if r.taken > 0 && item.sequence > r.taken {
		return r.aheadError(next, item.sequence)
	}
	r.pass(item, f, false)
	if item.pending > 0 {
		return nil
	}
	return r.checkEnd(ctx)
}

func (r *Reader) aheadError(found, sequence uint64) error {
	return &AheadError{
		Stream: r.channel.name, Instance: r.channel.spec.Instance, Branch: r.cfg.Branch,
		Expected: r.end(), Found: found, Sequence: sequence,
	}
}

// rewritten refuses a channel whose frame at a known sequence is another one than before.
func (r *Reader) rewritten(f *frame.Frame, sequence uint64) error {
	var found uint64
	if s := r.section(f); s != nil {
		found = s.Base
	}
	return r.aheadError(found, sequence)
}

// refuse is for a damaged frame. With keys it is none of the pipeline's: the server keeps what it was sent.
func (r *Reader) refuse(ctx context.Context, item *item, damage error) error {
	if !errors.Is(damage, ErrCorruptFrame) {
		return damage
	}
	reason, err := r.channel.check(r.channel.subject, item.sequence, item.msg.Header, item.msg.Data)
	if err != nil || reason == "" {
		return damage
	}
	return r.setAside(ctx, item, reason)
}

// damaged asks the stream itself whether the frame is: an edited consumer delivers headers only, for example.
func (r *Reader) damaged(ctx context.Context, item *item, cause error) error {
	var stored *jetstream.RawStreamMsg
	err := r.channel.once(ctx, func(ctx context.Context) (err error) {
		stored, err = r.channel.stream.Load().GetMsg(ctx, item.sequence)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("%w: it delivered a message that is not stored any more", errFeed)
	case err != nil:
		return fmt.Errorf("%w: it delivered a damaged frame, and the stream cannot be read: %w", errFeed, err)
	}
	if _, err := acted(frame.DecodeOutputs(stored.Data)); err == nil {
		return fmt.Errorf("%w: it delivered a message that differs from the stored one", errFeed)
	}
	return r.channel.corruptError(item.sequence, cause)
}

// pass lets a frame without new messages by; only its end is worth telling.
func (r *Reader) pass(item *item, f *frame.Frame, end bool) {
	if !end {
		r.swallow(item)
		return
	}
	r.deliver(item, f, Delivery{})
}

func (r *Reader) swallow(item *item) {
	r.marks.add(mark{sequence: item.sequence, reply: item.msg.Reply, swallow: true})
}

func (r *Reader) deliver(item *item, f *frame.Frame, d Delivery) {
	d.Sequence, d.Epoch, d.Ended, d.Size, d.Trace = item.sequence, f.Epoch, f.Ended, len(item.msg.Data), traceOf(item.msg.Header)
	r.queue = append(r.queue, d)
	r.queued += d.Size
	r.marks.add(mark{sequence: item.sequence, reply: item.msg.Reply})
}
