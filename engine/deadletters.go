package engine

import (
	"context"
	"fmt"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/internal/hint"
)

// DeadLetters returns the dead letters of the running pipeline, to list,
// replay or discard them. It is of use until the run ends. Safe for concurrent
// use.
func (p *Pipeline) DeadLetters() (*dlq.Queue, error) {
	r, err := p.serving()
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	return r.queue, nil
}

// DeadLetters is Pipeline.DeadLetters for a pipeline that is not running. It
// returns false when there are none on the server, because the pipeline never
// ran there. It is of use until Close. What is done with the queue takes effect;
// see ReadDeadLetters to look only.
func (i *Inspector) DeadLetters(ctx context.Context) (_ *dlq.Queue, found bool, err error) {
	if i.outside == nil && i.inside == nil {
		if exists, err := hasStream(i.dir, dlq.StreamName(i.pipeline)); err != nil || !exists {
			return nil, false, err
		}
		if err := i.dir.own(); err != nil {
			return nil, false, err
		}
		if i.inside, err = broker.Open(ctx, i.config.broker(i.pipeline, i.dir.broker())); err != nil {
			return nil, false, err
		}
	}
	return i.ReadDeadLetters(ctx)
}

// ReadDeadLetters returns the dead letters to look at. Where the channels are in
// the directory nothing that is done with them lasts.
func (i *Inspector) ReadDeadLetters(ctx context.Context) (_ *dlq.Queue, found bool, err error) {
	b, err := i.server(ctx, dlq.StreamName(i.pipeline), dlq.ReplayStreamName(i.pipeline))
	if err != nil {
		return nil, false, err
	}
	return dlq.Lookup(ctx, b.JetStream(), i.pipeline)
}

// showLetter is the command that shows a letter, for logs.
func (r *run) showLetter(id string) string {
	return "pipeline dlq show " + id + r.where()
}

// where are the flags by which a command finds this pipeline.
func (r *run) where() string { return r.config.CommandFlags() }

// CommandFlags are the flags by which the pipeline command finds a pipeline with
// this configuration, each with a space before it, for logs and errors: --dir,
// and with a server outside --nats and its login. A password, a token and
// FrameKeys are not shown.
func (c Config) CommandFlags() string {
	n := c.NATS
	return hint.Place{
		Dir: c.Dir, Servers: broker.Addresses(n.URL), User: n.User, Credentials: n.Credentials, NKeySeed: n.NKeySeed, CA: n.CA,
	}.Flags()
}
