package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/shape"
	"penstock/engine/internal/task"
	"penstock/engine/observe"
)

// peekFrames is how many of a channel's newest frames are looked into.
const peekFrames = 32

// Peek returns the newest messages of a stream ("stage" or "stage/branch") of the
// running pipeline, at most n, the oldest first. They are read from the channel,
// and peeking does not consume them. What all readers have read may be gone already.
// Safe for concurrent use.
func (p *Pipeline) Peek(ctx context.Context, stream string, n int) ([]observe.Message, error) {
	r, err := p.serving()
	if err != nil {
		return nil, fmt.Errorf("read samples of %s: %w", stream, err)
	}
	for _, d := range p.plan.Stages {
		for _, s := range d.Streams() {
			if s.String() == stream {
				list, err := peekAll(ctx, r.InstancesOf(d.Name), s, n)
				if err != nil {
					return nil, fmt.Errorf("read samples of %s: %w", stream, err)
				}
				return list, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: pipeline %s has no stream %q", ErrNoState, p.plan.Name, stream)
}

// peekAll has the newest messages of all partitions in the order of their times.
func peekAll(ctx context.Context, instances []*task.Instance, s *plan.Stream, n int) (all []observe.Message, err error) {
	for _, in := range instances {
		list, err := peekInto(ctx, in, s, n)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(instances) > 1 {
		slices.SortStableFunc(all, func(a, b observe.Message) int { return a.Time.Compare(b.Time) })
		all = all[max(len(all)-n, 0):]
	}
	return all, nil
}

func peekInto(ctx context.Context, in *task.Instance, s *plan.Stream, n int) ([]observe.Message, error) {
	last := in.Progress.Last.Load()
	from := uint64(1)
	if last > peekFrames {
		from = last - peekFrames + 1
	}
	codec := shape.Shape{Codec: s.CodecName()}
	var list []observe.Message
	err := in.Channel.Replay(ctx, from, func(r channel.Record) error {
		for k := range r.Frame.Sections {
			section := &r.Frame.Sections[k]
			if !isOf(section, s) {
				continue
			}
			it, offset := section.Messages(), section.Base
			if count := uint64(section.Count); count > uint64(n) {
				it.Skip(count - uint64(n))
				offset += count - uint64(n)
			}
			for m, ok := it.Next(); ok; m, ok = it.Next() {
				peeked := observe.Message{Offset: offset, Key: string(m.Key), Time: time.Unix(0, m.Time), Bytes: len(m.Value)}
				if len(m.Value) <= observe.MessageBytes {
					peeked.Value = codec.JSON(m.Value)
				}
				list = append(list, peeked)
				offset++
			}
		}
		if len(list) > n {
			list = append(list[:0:0], list[len(list)-n:]...)
		}
		return nil
	})
	return list, err
}

// isOf says whether a section has messages of a stream that no other section of its frame has.
func isOf(section *frame.Section, s *plan.Stream) bool {
	return section.Branch == s.Destinations()[0].Branch()
}
