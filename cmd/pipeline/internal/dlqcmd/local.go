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
	"penstock/engine/inspect"
)

// localLetters are letters that this process reaches itself.
type localLetters struct {
	pipeline string
	state    activity
	queue    *dlq.Queue // nil: there never was one
	explain  func(error) string
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
	return letters.Replay(ctx, l.queue, r, l.explain, told)
}

// Discard deletes letters, and tells of each.
func (l *localLetters) Discard(ctx context.Context, f dlq.Filter, told func(letters.Outcome) error) error {
	if l.queue == nil {
		return nil
	}
	return letters.Discard(ctx, l.queue, f, told)
}

// Load puts exported letters, and tells of each that is refused.
func (l *localLetters) Load(ctx context.Context, r io.Reader, force bool, refused func(letters.Refusal) error) (dlq.Imported, error) {
	if l.queue == nil {
		return dlq.Imported{}, fmt.Errorf("pipeline %s has never kept dead letters on this server: run it there first, or name its server with --nats", l.pipeline)
	}
	return letters.Import(ctx, l.queue, r, force, l.explain, refused)
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
	queue, _, err := inspect.LettersOn(opening, b, pipeline, d.config.FrameKeys)
	if err != nil {
		return app.CouldNotLook(err)
	}
	return fn(&localLetters{pipeline: pipeline, state: maybeRuns, queue: queue, explain: d.Hints.Explain, stagesOf: func(ctx context.Context) ([]string, error) {
		return channel.Stages(ctx, b, pipeline)
	}})
}
