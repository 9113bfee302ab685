package dlq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ReplayStreamName is the JetStream stream that holds the pending replays of a pipeline. The first Replay makes it.
func ReplayStreamName(pipeline string) string { return pipeline + "++replays" }

// replayStream is the handle of the stream, once it is found.
type replayStream struct {
	mu     sync.Mutex
	handle jetstream.Stream
}

func (r *replayStream) get() jetstream.Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.handle
}

func (r *replayStream) set(handle jetstream.Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handle = handle
}

func (r *replayStream) forget() { r.set(nil) }

// find returns nil when there is no stream.
func (r *replayStream) find(ctx context.Context, q *Queue) (jetstream.Stream, error) {
	if known := r.get(); known != nil {
		return known, nil
	}
	name := ReplayStreamName(q.pipeline)
	stream, err := q.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	letters, err := q.stream.Info(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{metadataPipeline, metadataIdentity} {
		want, got := letters.Config.Metadata[key], stream.CachedInfo().Config.Metadata[key]
		if got != want {
			return nil, fmt.Errorf("%w: stream %s: %s is %q there and %q for the dead letters: delete that stream", ErrForeign, name,
				key, got, want)
		}
	}
	r.set(stream)
	return stream, nil
}

// open finds or makes the stream.
func (r *replayStream) open(ctx context.Context, q *Queue) (jetstream.Stream, error) {
	stream, err := r.find(ctx, q)
	if err != nil || stream != nil {
		return stream, err
	}
	letters, err := q.stream.Info(ctx)
	if err != nil {
		return nil, err
	}
	_, err = q.js.CreateStream(ctx, replayConfig(letters.Config, q.pipeline, time.Now()))
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return nil, fmt.Errorf("create stream %s: %w", ReplayStreamName(q.pipeline), err)
	}
	if stream, err = r.find(ctx, q); err == nil && stream == nil {
		err = errRemade
	}
	return stream, err
}

// replayConfig reserves no room: there is a request per letter at most, so the limits of the letters bound it too.
// Sequences begin with the time, in order that those of a stream made anew are higher than any position that a stage
// has committed.
func replayConfig(letters jetstream.StreamConfig, pipeline string, now time.Time) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        ReplayStreamName(pipeline),
		Description: "pending replays of dead letters of the pipeline " + pipeline,
		Subjects:    []string{pipeline + ".*.*.replay.>"},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Storage:     jetstream.FileStorage,
		Replicas:    max(letters.Replicas, 1),
		MaxBytes:    -1,
		MaxMsgs:     -1,
		FirstSeq:    uint64(now.UnixMicro()),
		Metadata: map[string]string{
			metadataPipeline: letters.Metadata[metadataPipeline],
			metadataIdentity: letters.Metadata[metadataIdentity],
		},
		MaxMsgsPerSubject: 1,
	}
}
