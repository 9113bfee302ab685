package dlqcmd

import (
	"context"
	"fmt"
	"io"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
)

// localLetters are letters that this process reaches itself.
type localLetters struct {
	pipeline string
	state    activity
	queue    *dlq.Queue // nil: there never was one
	stagesOf func(context.Context) ([]string, error)
}

func (l *localLetters) about() (string, activity) { return l.pipeline, l.state }

func (l *localLetters) stages(ctx context.Context) ([]stageOf, error) {
	names, err := l.stagesOf(ctx)
	var list []stageOf
	for _, name := range names {
		list = append(list, stageOf{name: name})
	}
	return list, err
}

// Each calls fn with the letters that are selected.
func (l *localLetters) Each(ctx context.Context, s letters.Request, fn func(dlq.Letter) error) error {
	if l.queue == nil {
		return nil
	}
	return letters.Each(ctx, l.queue, s, fn)
}

// Replay asks for replays, and tells of each letter.
func (l *localLetters) Replay(ctx context.Context, r letters.Request, told func(letters.Outcome) error) error {
	if l.queue == nil {
		return nil
	}
	return letters.Replay(ctx, l.queue, r, told)
}

// Discard deletes letters, and tells of each.
func (l *localLetters) Discard(ctx context.Context, f dlq.Filter, told func(letters.Outcome) error) error {
	if l.queue == nil {
		return nil
	}
	return letters.Discard(ctx, l.queue, f, told)
}

// Load puts exported letters, and returns how many were not there already.
func (l *localLetters) Load(ctx context.Context, r io.Reader) (int, error) {
	if l.queue == nil {
		return 0, fmt.Errorf("pipeline %s has never kept dead letters on this server: run it there first, or name its server with --nats", l.pipeline)
	}
	return l.queue.Import(ctx, r)
}

// withServer calls fn with what an external server keeps of a pipeline, without
// the data directory.
func (d *dlqAccess) withServer(ctx context.Context, pipeline string, fn func(letterStore) error) error {
	opening, cancel := d.look.Bound(ctx)
	defer cancel()
	server := d.config.NATS
	server.Replicas = 0 // no stream is made
	b, err := broker.Open(opening, server.Config("dlq-"+pipeline, "", 0, d.config.Logger))
	if err != nil {
		return app.CouldNotLook(err)
	}
	defer b.Close()
	queue, _, err := dlq.Lookup(opening, b.JetStream(), pipeline)
	if err != nil {
		return app.CouldNotLook(err)
	}
	return fn(&localLetters{pipeline: pipeline, state: maybeRuns, queue: queue, stagesOf: func(ctx context.Context) ([]string, error) {
		return channel.Stages(ctx, b, pipeline)
	}})
}
