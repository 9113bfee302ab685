package cli

import (
	"context"
	"fmt"
	"io"

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

func (l *localLetters) each(ctx context.Context, s letters.Request, fn func(dlq.Letter) error) error {
	if l.queue == nil {
		return nil
	}
	return letters.Each(ctx, l.queue, s, fn)
}

func (l *localLetters) replay(ctx context.Context, r letters.Request, told func(letters.Outcome) error) error {
	if l.queue == nil {
		return nil
	}
	return letters.Replay(ctx, l.queue, r, told)
}

func (l *localLetters) discard(ctx context.Context, f dlq.Filter, told func(letters.Outcome) error) error {
	if l.queue == nil {
		return nil
	}
	return letters.Discard(ctx, l.queue, f, told)
}

func (l *localLetters) load(ctx context.Context, r io.Reader) (int, error) {
	if l.queue == nil {
		return 0, fmt.Errorf("pipeline %s never kept dead letters on this server: run it there first, or name its server with --nats", l.pipeline)
	}
	return l.queue.Import(ctx, r)
}

// withServer calls fn with what an external server keeps of a pipeline, without
// the data directory.
func (d *dlqAccess) withServer(ctx context.Context, pipeline string, fn func(letterStore) error) error {
	opening, cancel := context.WithTimeout(ctx, inspectFor)
	defer cancel()
	b, err := broker.Open(opening, d.brokerConfig(pipeline))
	if err != nil {
		return err
	}
	defer b.Close()
	queue, _, err := dlq.Lookup(opening, b.JetStream(), pipeline)
	if err != nil {
		return err
	}
	return fn(&localLetters{pipeline: pipeline, state: maybeRuns, queue: queue, stagesOf: func(ctx context.Context) ([]string, error) {
		return channel.Stages(ctx, b, pipeline)
	}})
}

func (d *dlqAccess) brokerConfig(pipeline string) broker.Config {
	n := d.config.NATS
	return broker.Config{
		URL:         n.URL,
		Credentials: n.Credentials,
		NKeySeed:    n.NKeySeed,
		User:        n.User,
		Password:    n.Password,
		Token:       n.Token,
		CA:          n.CA,
		Cert:        n.Cert,
		Key:         n.Key,
		InboxPrefix: n.InboxPrefix,
		Name:        "penstock-dlq-" + pipeline,
		Logger:      d.config.Logger,
	}
}
