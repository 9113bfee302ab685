package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"penstock/engine/broker"
	"penstock/engine/frame"
	"penstock/internal/jscode"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	attemptTimeout = 5 * time.Second // at most
	firstDelay     = 50 * time.Millisecond
	lastDelay      = 500 * time.Millisecond
)

// repeat calls try until it succeeds, fails for good or ctx is done; each attempt has a limit of its own.
func repeat(ctx context.Context, b *broker.Broker, logger *slog.Logger, what string, try func(context.Context) error) error {
	var p patience
	return persist(ctx, b, logger, what, func(ctx context.Context) error {
		limit := p.get()
		ctx, cancel := attempt(ctx, b, limit)
		defer cancel()
		err := try(ctx)
		p.learn(limit, err)
		return err
	})
}

// attempt is the context of one request: an answer is not waited for longer than the limit, nor than the connection
// lasts.
func attempt(ctx context.Context, b *broker.Broker, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, release := b.WhileConnected(ctx)
	if b.Embedded() { // which has no leader that could change
		limit = attemptTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return ctx, func() {
		cancel()
		release()
	}
}

// once makes one attempt, as long as this channel's server has lately needed.
func (c *Channel) once(ctx context.Context, try func(context.Context) error) error {
	limit := c.requests.get()
	ctx, cancel := attempt(ctx, c.broker, limit)
	defer cancel()
	err := try(ctx)
	c.requests.learn(limit, err)
	return err
}

// persist is repeat without a limit for one attempt.
func persist(ctx context.Context, b *broker.Broker, logger *slog.Logger, what string, try func(context.Context) error) error {
	logged := false
	for delay := firstDelay; ; delay = min(2*delay, lastDelay) {
		if err := b.WaitConnected(ctx); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		err := try(ctx)
		if err == nil || !passing(err) {
			return err
		}
		if !logged && b.Connected() && ctx.Err() == nil {
			logger.Warn("trying again: "+what, "error", err)
			logged = true
		}
		if cause := pause(ctx, jittered(delay)); cause != nil {
			return fmt.Errorf("%s: %w (last attempt: %w)", what, cause, err)
		}
	}
}

// passing tells whether err may go away by itself: everything that is not a considered answer of the server.
func passing(err error) bool {
	if caller := (callerError{}); errors.As(err, &caller) {
		return false
	}
	if refused := (*broker.PermissionError)(nil); errors.As(err, &refused) {
		return !refused.Final()
	}
	for _, refusal := range []error{ErrForeign, ErrPartitions, ErrStreamLost, ErrSettings, ErrCorruptFrame, ErrKey, frame.ErrNewerVersion, broker.ErrClosed, jetstream.ErrMsgNotFound} {
		if errors.Is(err, refusal) {
			return false
		}
	}
	api := apiError(err)
	if api == nil {
		return true
	}
	switch api.ErrorCode {
	case jscode.ClusterAway, jscode.NotLeader, jscode.StreamOffline:
		return true
	case jscode.ServerStorage:
		return false
	}
	return api.Code == 503
}

// callerError marks an error of a caller's function, which is passed on as it is.
type callerError struct{ error }

func (e callerError) Unwrap() error { return e.error }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
