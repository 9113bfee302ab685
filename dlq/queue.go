package dlq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// DefaultMaxBytes bounds the dead letters of a pipeline unless Config says otherwise.
const DefaultMaxBytes = 1 << 30

const (
	metadataPipeline = "penstock.pipeline"
	metadataIdentity = "penstock.identity"
)

// Config says whose dead letters they are and how many are kept. Pipeline and Identity are required.
type Config struct {
	Pipeline string // 1 to 64 of A-Z a-z 0-9 _ -
	// Identity names the data directory that the pipeline runs from. Open refuses dead letters of another one: the same
	// offsets mean other messages there.
	Identity    string
	Replicas    int           // of the stream. Default: as it is, 1 for a new one.
	MaxBytes    int64         // stored, headers included. Default DefaultMaxBytes; negative: no limit.
	MaxMessages int64         // letters. Default, or negative: no limit.
	MaxAge      time.Duration // after which a letter is dropped. Default: never.
	Logger      *slog.Logger  // for retries. Default slog.Default().
	// OnRetry is called when Put has failed to store a letter and is going to try again. It must not block; letters that
	// are put at the same time call it at the same time.
	OnRetry func(l Letter, err error)
}

// StreamName is the JetStream stream that holds the dead letters of a pipeline. No stage can be called so that its own
// stream gets this name.
func StreamName(pipeline string) string { return pipeline + "++dead-letters" }

// Queue is the dead letters of one pipeline. It is safe for concurrent use. It needs no closing; it works as long as
// its connection does.
type Queue struct {
	js       jetstream.JetStream
	stream   jetstream.Stream
	name     string // of the stream
	pipeline string
	logger   *slog.Logger
	retry    retry
	onRetry  func(l Letter, err error)

	reached      atomic.Uint64 // sequence of the last letter that Put knows to be stored
	placesAtOnce int           // of SelectInOrder
	replays      replayStream
	mark         string // see Letter.Queue
	run          Run    // nil: nothing is known of it
}

// Open makes the stream of a pipeline's dead letters, or takes the existing one over and sets the limits anew. Limits
// lower than what is stored drop nothing (MaxAge does). Dead letters of another Identity are refused with ErrForeign.
func Open(ctx context.Context, js jetstream.JetStream, cfg Config) (*Queue, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("dlq: open: %w", err)
	}
	q := newQueue(js, cfg.Pipeline, cfg.Logger)
	q.onRetry = cfg.OnRetry
	err := q.ask(ctx, "open", func(ctx context.Context) error { return q.open(ctx, cfg) })
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) && isNoRoom(refusal) {
		err = fmt.Errorf("not enough storage for MaxBytes %d: %w", cfg.stream().MaxBytes, err)
		if remedyOf(err) == "" {
			err = fmt.Errorf("%w: lower it, free disk space, or raise the limit of the server or account", err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("dlq: open stream %s: %w", q.name, err)
	}
	return q, nil
}

func (q *Queue) open(ctx context.Context, cfg Config) error {
	stream, err := q.js.Stream(ctx, q.name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		stream, err = q.js.CreateStream(ctx, cfg.stream())
	case err == nil:
		var want jetstream.StreamConfig
		if want, err = cfg.takeOver(stream.CachedInfo().Config); err == nil {
			stream, err = q.js.UpdateStream(ctx, want)
		}
	}
	q.use(stream)
	return err
}

// use takes the stream for that of the queue.
func (q *Queue) use(stream jetstream.Stream) {
	if stream != nil {
		q.stream, q.mark = stream, markOf(stream.CachedInfo())
	}
}

// Lookup finds the dead letters of a pipeline, whatever its identity. It returns false when there is no stream for
// them, and so no letter.
func Lookup(ctx context.Context, js jetstream.JetStream, pipeline string) (*Queue, bool, error) {
	if err := checkName("pipeline", pipeline); err != nil {
		return nil, false, fmt.Errorf("dlq: look up: %w", err)
	}
	q := newQueue(js, pipeline, nil)
	err := q.ask(ctx, "look up", func(ctx context.Context) error {
		stream, err := js.Stream(ctx, q.name)
		q.use(stream)
		return err
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("dlq: look up stream %s: %w", q.name, err)
	}
	return q, true, nil
}

// Belongs is ErrForeign unless the dead letters are those of the queue's pipeline and of the data directory with that
// identity, which [Open] refuses as well.
func (q *Queue) Belongs(identity string) error {
	_, err := Config{Pipeline: q.pipeline, Identity: identity}.takeOver(q.stream.CachedInfo().Config)
	return err
}

// Count returns the number of letters.
func (q *Queue) Count(ctx context.Context) (uint64, error) {
	info, err := q.info(ctx)
	if err != nil {
		return 0, fmt.Errorf("dlq: count stream %s: %w", q.name, err)
	}
	return info.State.Msgs, nil
}

// Reached is the sequence of the last letter that was put with this queue, 0 before the first.
func (q *Queue) Reached() uint64 { return q.reached.Load() }

func (q *Queue) reach(sequence uint64) {
	for {
		old := q.reached.Load()
		if sequence <= old || q.reached.CompareAndSwap(old, sequence) {
			return
		}
	}
}

// Last is the sequence of the last letter that was ever put. Nothing but the loss of the stream, or of its tail, makes
// it smaller.
func (q *Queue) Last(ctx context.Context) (uint64, error) {
	info, err := q.info(ctx)
	if err != nil {
		return 0, fmt.Errorf("dlq: read the state of stream %s: %w", q.name, err)
	}
	return info.State.LastSeq, nil
}

func (q *Queue) info(ctx context.Context) (info *jetstream.StreamInfo, err error) {
	err = q.ask(ctx, "look", func(ctx context.Context) error {
		info, err = q.stream.Info(ctx)
		return err
	})
	return info, err
}

// DeleteAll deletes every letter and pending replay and the streams themselves, for a fresh start of the pipeline. That
// there are none is no error. The queue is of no use afterwards: Open another one.
func (q *Queue) DeleteAll(ctx context.Context) error {
	for _, name := range []string{ReplayStreamName(q.pipeline), q.name} {
		err := q.ask(ctx, "delete all", func(ctx context.Context) error { return q.js.DeleteStream(ctx, name) })
		if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("dlq: delete stream %s: %w", name, err)
		}
	}
	return nil
}

func newQueue(js jetstream.JetStream, pipeline string, logger *slog.Logger) *Queue {
	if logger == nil {
		logger = slog.Default()
	}
	return &Queue{js: js, name: StreamName(pipeline), pipeline: pipeline, logger: logger, retry: defaultRetry,
		placesAtOnce: placesAtOnce}
}

// takeOver says what an existing stream becomes.
func (c Config) takeOver(old jetstream.StreamConfig) (jetstream.StreamConfig, error) {
	for name, want := range map[string]string{metadataPipeline: c.Pipeline, metadataIdentity: c.Identity} {
		if got := old.Metadata[name]; got != want {
			return jetstream.StreamConfig{}, fmt.Errorf("%w: %s is %q there and %q here: run from the data directory they belong to, "+
				"or give the pipeline another name", ErrForeign, name, got, want)
		}
	}
	want := c.stream()
	if c.Replicas == 0 {
		want.Replicas = old.Replicas
	}
	return want, nil
}

func (c Config) check() error {
	if err := checkName("pipeline", c.Pipeline); err != nil {
		return err
	}
	if c.Identity == "" {
		return fmt.Errorf("%w identity %q: it must not be empty", ErrInvalid, c.Identity)
	}
	if c.Replicas < 0 || c.MaxAge < 0 {
		return fmt.Errorf("%w config: Replicas %d and MaxAge %v must not be negative", ErrInvalid, c.Replicas, c.MaxAge)
	}
	return nil
}

func (c Config) stream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        StreamName(c.Pipeline),
		Description: "dead letters of the pipeline " + c.Pipeline,
		Subjects:    []string{c.Pipeline + ".*.*.dead.>"},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Storage:     jetstream.FileStorage,
		Replicas:    max(c.Replicas, 1),
		MaxBytes:    limit(c.MaxBytes, DefaultMaxBytes),
		MaxMsgs:     limit(c.MaxMessages, -1),
		MaxAge:      c.MaxAge,

		MaxMsgsPerSubject: 1, // a later round takes the place of the earlier one
		Metadata:          map[string]string{metadataPipeline: c.Pipeline, metadataIdentity: c.Identity},
	}
}

func limit(value, byDefault int64) int64 {
	switch {
	case value == 0:
		return byDefault
	case value < 0:
		return -1
	}
	return value
}
