package engine

import (
	"context"
	"fmt"

	"penstock/dlq"
	"penstock/engine/broker"
)

// DeadLetters returns the dead letters of the running pipeline, to list,
// replay or discard them. It is of use until the run ends. Safe for concurrent
// use.
func (p *Pipeline) DeadLetters() (*dlq.Queue, error) {
	r, err := p.serving()
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	if r.queue == nil {
		return nil, fmt.Errorf("dead letters: %w: ask the memory for them", ErrInMemory)
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
		if err := i.dir.Own(); err != nil {
			return nil, false, err
		}
		if i.inside, err = broker.Open(ctx, i.config.broker(i.pipeline, i.dir.Broker())); err != nil {
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
