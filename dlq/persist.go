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
	gone := 0
	isKnown, err := q.repeat(ctx, func() (isOver bool, err error) {
		err = try()
		for errors.Is(err, errAgain) && ctx.Err() == nil {
			err = try()
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			gone++
		} else {
			gone = 0
		}
		if gone >= q.retry.gone {
			return true, fmt.Errorf("%w: restart the pipeline to create it again; the letters that were in it are lost", ErrGone)
		}
		return false, err
	}, "cannot reach the dead letters on the NATS server; retrying", "operation", what, "letter", id)
	if !isKnown {
		return fmt.Errorf("outcome unknown: %w", err)
	}
	return err
}

// ask makes a request, which may be made twice, until the server has answered it or ctx ends.
func (q *Queue) ask(ctx context.Context, what string, do func(context.Context) error) error {
	_, err := q.repeat(ctx, func() (isOver bool, err error) {
		err = q.once(ctx, do)
		return isAnswer(err), err
	}, "cannot reach the dead letters on the NATS server; retrying", "operation", what)
	return err
}

// repeat calls try, with growing pauses, until it succeeds, is over or fails for good: then its outcome is known. If
// ctx ends before, it is not. The log has the message at intervals.
func (q *Queue) repeat(ctx context.Context, try func() (isOver bool, err error), message string, about ...any) (isKnown bool, err error) {
	pause := q.retry.first
	for n := 1; ; n++ {
		isOver, err := try()
		if err == nil || isOver || isFinal(err) {
			return true, err
		}
		if ctx.Err() == nil && n%q.retry.logEvery == 1 {
			q.logger.Warn(message, append(about, "pipeline", q.pipeline, "try", n, "error", err)...)
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("%w (try %d: %w)", ctx.Err(), n, err)
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

// isAnswer says that the server has considered a request, and refuses it.
func isAnswer(err error) bool {
	var refusal *jetstream.APIError
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.As(err, &refusal) && refusal.Code != 503
}
