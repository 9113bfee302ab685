package inspect

import (
	"context"
	"errors"
	"fmt"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/origins"
)

// DeadLetters is that method of engine.Pipeline for a pipeline that is not running. It
// returns false when there are none on the server, because the pipeline never
// ran there, and dlq.ErrForeign when those there are of another data directory. It
// is of use until Close. What is done with the queue takes effect; see
// ReadDeadLetters to look only.
func (i *Inspector) DeadLetters(ctx context.Context) (_ *dlq.Queue, found bool, err error) {
	if i.outside == nil && i.inside == nil {
		_, exists, err := blocks.Lookup(i.dir.Broker(), dlq.StreamName(i.pipeline))
		if err != nil {
			return nil, false, fmt.Errorf("look at the channels: %w", err)
		}
		if !exists {
			return nil, false, nil
		}
		if err := i.dir.Own(); err != nil {
			return nil, false, err
		}
		if i.inside, err = broker.Open(ctx, i.config.NATS.Config(i.pipeline, i.dir.Broker(), 0, i.config.Logger)); err != nil {
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
	queue, found, err := lettersOn(ctx, b, i.pipeline, i.keys)
	if err == nil && found && i.outside == nil && i.inside == nil {
		queue.Bind(nil) // the copy has no stages
	}
	if err == nil && found {
		err = queue.Belongs(i.identity)
	}
	if errors.Is(err, dlq.ErrForeign) {
		err = i.foreign(ctx, b, err)
	}
	return queue, found, err
}

// foreign adds whose the dead letters are, as far as the channels beside them tell.
func (i *Inspector) foreign(ctx context.Context, b *broker.Broker, err error) error {
	stages, lookErr := channel.Stages(ctx, b, i.pipeline)
	if lookErr != nil {
		return err
	}
	runs, lookErr := datadir.RunsOn(ctx, b, i.pipeline, stages)
	if other, found := datadir.OtherThan(i.identity, runs); found && lookErr == nil {
		return fmt.Errorf("%w; the run on this server belongs to %s", err, other.Directory())
	}
	return err
}

// LettersOn returns the dead letters of a pipeline on a server, whatever data
// directory it has. They are checked against the run on that server.
func LettersOn(ctx context.Context, b *broker.Broker, pipeline string, frameKeys [][]byte) (*dlq.Queue, bool, error) {
	keys, err := frame.KeysOf(frameKeys)
	if err != nil {
		return nil, false, err
	}
	return lettersOn(ctx, b, pipeline, keys)
}

func lettersOn(ctx context.Context, b *broker.Broker, pipeline string, keys *frame.Keys) (*dlq.Queue, bool, error) {
	queue, found, err := dlq.Lookup(ctx, b.JetStream(), pipeline)
	if err == nil && found {
		queue.Bind(origins.On(b, pipeline, keys))
	}
	return queue, found, err
}
