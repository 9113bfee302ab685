package dlq

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// IsEveryRequestThere says that no request for a replay with sequence from or higher was taken or withdrawn, of
// whatever stage: all that were ever made wait. It does not wait for a broker that is away.
func (q *Queue) IsEveryRequestThere(ctx context.Context, from uint64) (bool, error) {
	stream, err := q.replays.find(ctx, q)
	if err != nil {
		return false, fmt.Errorf("dlq: look at the requests: %w", err)
	}
	if stream == nil {
		return true, nil
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return false, fmt.Errorf("dlq: look at the requests: %w", err)
	}
	for next := max(from, info.Config.FirstSeq, 1); next <= info.State.LastSeq; next++ {
		_, err := stream.GetMsg(ctx, next)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("dlq: look at the request of sequence %d: %w", next, err)
		}
	}
	return true, nil
}
