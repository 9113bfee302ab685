package broker

import (
	"context"
	"errors"
	"sync"
	"time"

	"penstock/engine/remedy"
)

// ErrNoServer means that the server did not answer within [Config.ConnectTimeout].
var ErrNoServer = errors.New("the NATS server does not answer")

// within calls open, whose context ends with ErrNoServer after the connect timeout. A wait that lasts is logged once.
func (b *Broker) within(ctx context.Context, open func(context.Context) error) error {
	if b.cfg.URL == "" || b.cfg.ConnectTimeout <= 0 {
		return open(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.cfg.ConnectTimeout, remedy.Errorf("%w within %v: start it, name another one with %v, or wait longer with %v",
		ErrNoServer, b.cfg.ConnectTimeout, remedy.NATS, remedy.ConnectTimeout))
	defer cancel()
	opened := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		select {
		case <-time.After(firstReport):
			b.cfg.Logger.Warn("waiting for "+redact(b.cfg.URL), "at_most", b.cfg.ConnectTimeout)
		case <-opened:
		}
	})
	defer telling.Wait()
	defer close(opened)
	return open(ctx)
}
