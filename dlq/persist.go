package dlq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// errAgain, as the answer of a try: what is stored is known now, try again without a pause.
var errAgain = errors.New("what is stored differs from what was expected")

// persist calls try until it succeeds, its error is final or ctx ends, in which case the error says that unknown. what
// and id are for the log.
func (q *Queue) persist(ctx context.Context, what, id string, try func() error) error {
	pause, gone := q.retry.first, 0
	for n := 1; ; n++ {
		err := try()
		if err == nil || isFinal(err) {
			return err
		}
		if errors.Is(err, errAgain) && ctx.Err() == nil {
			continue
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			gone++
		} else {
			gone = 0
		}
		if gone >= q.retry.gone {
			return fmt.Errorf("%w: restart the pipeline to make it anew; the letters that were in it are lost", ErrGone)
		}
		if ctx.Err() == nil && n%q.retry.logEvery == 1 {
			q.logger.Warn("dead letter waits for the broker", "pipeline", q.pipeline, "operation", what, "letter", id,
				"try", n, "error", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not known to be done: %w (try %d: %w)", ctx.Err(), n, err)
		case <-time.After(pause):
		}
		pause = min(2*pause, q.retry.max)
	}
}

// once runs one request with the time that one answer may take.
func (q *Queue) once(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, q.retry.answer)
	defer cancel()
	return do(ctx)
}

// ask makes a request, which may be made twice, until the server has answered it or ctx ends.
func (q *Queue) ask(ctx context.Context, what string, do func(context.Context) error) error {
	pause := q.retry.first
	for n := 1; ; n++ {
		err := q.once(ctx, do)
		if err == nil || isFinal(err) || isAnswer(err) {
			return err
		}
		if ctx.Err() == nil && n%q.retry.logEvery == 1 {
			q.logger.Warn("the dead letters wait for the broker", "pipeline", q.pipeline, "operation", what, "try", n, "error", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (try %d: %w)", context.Cause(ctx), n, err)
		case <-time.After(pause):
		}
		pause = min(2*pause, q.retry.max)
	}
}

// isAnswer says that the server has considered a request, and refuses it.
func isAnswer(err error) bool {
	var refusal *jetstream.APIError
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.As(err, &refusal) && refusal.Code != 503
}
