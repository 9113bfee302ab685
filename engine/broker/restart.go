package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// ErrBroken is wrapped by what Trouble finds.
var ErrBroken = errors.New("the embedded NATS server no longer accepts writes")

// Trouble says why the embedded server takes no more writes: once a write has failed, for want of space or otherwise,
// it refuses all others of that stream, also when the cause is gone, until it is started anew. With an external server
// it is always nil: that is its operator's to see.
func (b *Broker) Trouble() error {
	if b.embedded == nil {
		return nil
	}
	s := b.embedded.server.Load()
	switch {
	case !s.Running():
		return fmt.Errorf("%w: it is stopped", ErrBroken)
	case !s.JetStreamEnabled():
		return fmt.Errorf("%w: it has disabled JetStream", ErrBroken)
	}
	for _, found := range s.Healthz(&server.HealthzOptions{Details: true}).Errors {
		if strings.Contains(found.Error, "write error") {
			return fmt.Errorf("%w: %s", ErrBroken, found.Error)
		}
	}
	return nil
}

// Restart stops the embedded server and starts another one on its files. To everybody who uses the Broker that is an
// outage like any other. It returns when the new server runs; after an error there is none, and Restart may be called
// again. It does nothing with an external server, and once Close was called.
func (b *Broker) Restart(ctx context.Context) error {
	e := b.embedded
	if e == nil {
		return nil
	}
	e.restarting.Lock()
	defer e.restarting.Unlock()
	if e.stopped {
		return ErrClosed
	}
	e.stopServer()
	if err := e.run(ctx); err != nil {
		return fmt.Errorf("start the embedded NATS server again: %w", err)
	}
	return nil
}
