package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/broker"
)

// join opens a feed at the place, or decides where the first run begins.
func (r *reader) join(ctx context.Context, place *Place) error {
	now, err := r.look(ctx, place)
	if err != nil {
		return err
	}
	if p := now.config.Retention; p != jetstream.LimitsPolicy {
		return engine.Fatal(fmt.Errorf("the stream %s has the retention %v: the server deletes its messages when they are acknowledged, and a source could not go back to its place; "+
			"let a stream with the retention limits source or mirror it, and read that one", r.config.Stream, p))
	}
	cfg, err := r.begin(ctx, place, now)
	if err != nil {
		return err
	}
	cfg.FilterSubjects = r.config.Subjects
	f, err := r.server.openFeed(ctx, cfg, r.config.Prefetch)
	if err != nil {
		return r.refusedFeed(ctx, err)
	}
	again, err := r.look(ctx, place)
	if err == nil && !again.created.Equal(now.created) {
		err = engine.Unavailable(fmt.Errorf("the stream %s was just made anew", r.config.Stream))
	}
	if err != nil {
		f.close()
		return err
	}
	if place.Next == 0 {
		*place = Place{Stream: r.config.Stream, Created: now.created, Next: max(f.start, 1)}
		if r.config.UpTo.atLast {
			place.End = max(now.LastSeq, 1)
		}
	}
	if place.End > 0 && (f.pending == 0 || now.LastSeq == 0) {
		place.Next, place.Read = max(place.Next, place.End+1), time.Time{}
	}
	r.feed, r.next = f, place.Next
	return nil
}

// refusedFeed tells a mistake in the configuration from an outage.
func (r *reader) refusedFeed(ctx context.Context, err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && api.Code == 400 && api.ErrorCode != jetstream.JSErrCodeMaximumConsumersLimit {
		return engine.Fatal(r.server.hide(err))
	}
	return r.server.refused(ctx, broker.ExplainLimit(err))
}

// begin is where a feed is to begin. A message before the place comes again where it is stored: see Place.Read.
func (r *reader) begin(ctx context.Context, place *Place, now state) (jetstream.ConsumerConfig, error) {
	if place.Next == 0 {
		return r.first(now)
	}
	if place.Stream != r.config.Stream {
		return jetstream.ConsumerConfig{}, engine.Fatal(fmt.Errorf("the source has read the stream %s, and is declared with %s: name the first one, or start from the beginning (a fresh run)",
			place.Stream, r.config.Stream))
	}
	from := *place
	said, err := place.check(now, r.filtered(), r.config.AllowGaps)
	if err != nil {
		return jetstream.ConsumerConfig{}, err
	}
	if said != nil {
		engine.Logger(ctx).Warn("going on where messages are gone", "error", said)
		if errors.Is(said, ErrGap) && !r.filtered() {
			engine.CountDropped(ctx, place.Next-from.Next)
		}
	}
	start := place.Next
	if !place.Read.IsZero() {
		start = max(start-1, 1)
	}
	return FromSequence(max(start, now.FirstSeq)).consumer(), nil
}

// first is where the first run begins.
func (r *reader) first(now state) (jetstream.ConsumerConfig, error) {
	n := r.config.From.sequence
	switch {
	case r.config.From.policy != jetstream.DeliverByStartSequencePolicy:
	case n > now.LastSeq+1:
		return jetstream.ConsumerConfig{}, engine.Fatal(fmt.Errorf("the stream %s ends at message %d: it has no message %d to begin with", r.config.Stream, now.LastSeq, n))
	case n < now.FirstSeq && !r.config.AllowGaps:
		return jetstream.ConsumerConfig{}, engine.Fatal(fmt.Errorf("%w: the stream %s begins at message %d, and the source is to begin at %d: %s", ErrGap, r.config.Stream, now.FirstSeq, n, allowGaps))
	}
	return r.config.From.consumer(), nil
}

// look asks for the stream that the place belongs to. It is Unavailable while the server does not answer.
func (r *reader) look(ctx context.Context, place *Place) (state, error) {
	now, found, err := r.server.look(ctx)
	if err != nil {
		return now, r.server.refused(ctx, err)
	}
	if found {
		r.gone = time.Time{}
		return now, nil
	}
	if r.gone.IsZero() {
		r.gone = time.Now()
	}
	switch {
	case place.Next == 0:
		return now, engine.Fatal(fmt.Errorf("there is no stream %s on %s: make it, or name another one (SourceConfig.Stream)", r.config.Stream, r.server.Server()))
	case time.Since(r.gone) < gonePeriod: // a cluster that is just starting may not know it yet
		return now, engine.Unavailable(fmt.Errorf("there is no stream %s on %s", r.config.Stream, r.server.Server()))
	}
	return now, engine.Fatal(fmt.Errorf("%w: %s was deleted on %s; the source has read it up to message %d: restore it, or start from the beginning (a fresh run)",
		ErrOtherStream, r.config.Stream, r.server.Server(), place.Next-1))
}
