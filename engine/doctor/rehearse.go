package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/internal/datadir"
)

// rehearse opens a copy as a run would, and looks whether what is in the channels
// and in the checkpoints fits together.
func (l *inspection) rehearse(ctx context.Context) (err error) {
	if datadir.Exists(l.dir.StartingOver()) {
		return nil // all of it is about to be deleted
	}
	path, err := l.x.copy(l.dir.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	copied := datadir.At(path)
	store, err := l.openStore(copied)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	if l.pipeline == "" {
		l.note("channels", "they are not checked: it is unknown which pipeline the directory belongs to")
		return nil
	}
	b, err := l.x.server(ctx, l.pipeline, copied.Broker(), time.Hour) // a copy need not be durable
	if err != nil {
		return err
	}
	defer b.Close()
	if err := l.x.dir.CheckMoved(ctx, b, datadir.Identity{Pipeline: l.pipeline, ID: l.identity}, l.x.config.NATS.URL); err != nil {
		return err
	}
	if err := l.makeAnew(ctx, b); err != nil {
		return err
	}
	return l.channels(ctx, b, store)
}

// makeAnew makes the streams that the server would not read, as the next start
// does: in the copy. A server outside stays as it is.
func (l *inspection) makeAnew(ctx context.Context, b *broker.Broker) (err error) {
	if !b.Embedded() {
		return nil
	}
	for _, name := range l.unreadable {
		stage, isOurs := strings.CutPrefix(name, l.pipeline+"+")
		switch {
		case name == dlq.StreamName(l.pipeline):
			_, err = dlq.Open(ctx, b.JetStream(), dlq.Config{Pipeline: l.pipeline, Identity: l.identity})
		case isOurs && !strings.HasPrefix(stage, "+"): // a channel
			_, err = channel.Open(ctx, b, channel.Spec{Pipeline: l.pipeline, Stage: stage, Identity: l.identity})
		}
		if err != nil { // two flipped bits may have its settings name another owner
			err = l.refusal("stream "+name, fmt.Errorf("create it again: %w", err))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
