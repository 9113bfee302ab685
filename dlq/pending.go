package dlq

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// PendingReplays counts the requests by the stage that they are for. It reads the headers of every one.
func (q *Queue) PendingReplays(ctx context.Context) (map[string]uint64, error) {
	counts := map[string]uint64{}
	err := q.EachReplay(ctx, func(r Replay, _ error) error {
		counts[r.Stage]++
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("dlq: count pending replays: %w", err)
	}
	return counts, nil
}

// EachReplay calls fn with every request that is pending, in the order in which they were made, without values. One
// that cannot be read comes with ErrDamaged or ErrNewerVersion, and has only its sequence and its stage. An error of fn
// ends it and is returned as it is.
func (q *Queue) EachReplay(ctx context.Context, fn func(r Replay, unreadable error) error) error {
	stream, err := q.replays.find(ctx, q)
	if err != nil || stream == nil {
		return err
	}
	info, err := stream.Info(ctx)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		q.replays.forget()
		return nil
	}
	if err != nil {
		return err
	}
	s := scanner{q: q, stream: ReplayStreamName(q.pipeline), subject: ">", next: 1}
	return s.each(ctx, info.State.LastSeq, func(m listed) error {
		r, err := decodeRequest(m.message, m.size, func(asLetter *jetstream.RawStreamMsg) (Letter, error) { return decodeListed(asLetter, m.size) })
		if err != nil {
			_, rest, _ := strings.Cut(m.message.Subject, ".")
			stage, _, _ := strings.Cut(rest, ".")
			r = Replay{Stage: stage, Sequence: m.message.Sequence}
		}
		return fn(r, err)
	})
}
