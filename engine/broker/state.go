package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream is the connection's JetStream interface.
func (b *Broker) JetStream() jetstream.JetStream { return b.js }

// Conn is the connection itself. It belongs to the Broker: do not close it.
func (b *Broker) Conn() *nats.Conn { return b.conn }

// MaxPayload is the size in bytes of the largest message the server takes, headers included: 8 MiB embedded, 1 MiB on
// an external server that was not told otherwise.
func (b *Broker) MaxPayload() int64 {
	return b.connection.maxPayload()
}

// Embedded tells whether the server runs inside this process.
func (b *Broker) Embedded() bool { return b.embedded != nil }

// Server names the server, without credentials: "embedded", or its URL.
func (b *Broker) Server() string {
	if b.Embedded() {
		return "embedded"
	}
	return b.connection.target
}

// Replicas is how many servers are to keep each stream.
func (b *Broker) Replicas() int { return b.cfg.Replicas }

// Sync is [Config.Sync]; it means something only when Embedded.
func (b *Broker) Sync() time.Duration { return b.cfg.Sync }

// Connected tells whether the connection stands at this moment.
func (b *Broker) Connected() bool {
	now, _ := b.connection.watch()
	return now.connected
}

// Failure says why there is no connection, without credentials: what the last attempt met, or what the connection ended
// with. "" while it stands, and when nothing is known.
func (b *Broker) Failure() string {
	b.connection.mu.Lock()
	defer b.connection.mu.Unlock()
	if b.connection.connected {
		return ""
	}
	return b.connection.failure
}

// Reconnects counts the outages that ended.
func (b *Broker) Reconnects() uint64 {
	b.connection.mu.Lock()
	defer b.connection.mu.Unlock()
	return b.connection.reconnects
}

// OnReconnect has fn called each time a lost connection was restored, until remove is called. The calls come one at a
// time and hold up further news of the connection: fn must not block. It may still run once while remove returns.
func (b *Broker) OnReconnect(fn func()) (remove func()) { return b.connection.again.add(fn) }

// WaitConnected returns nil as soon as the connection stands, at once when it does. Otherwise it returns the error of
// ctx, [ErrClosed], or an [ErrConfig] when no server takes the login and none ever did.
func (b *Broker) WaitConnected(ctx context.Context) error {
	for {
		now, changed := b.connection.watch()
		switch {
		case now.closed:
			return ErrClosed
		case now.connected:
			return nil
		case now.refusal != nil:
			return now.refusal
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WhileConnected returns a context that also ends when the connection is lost, with [ErrDisconnected] as its cause: for
// a request whose answer will not come then. Call cancel when it is done.
func (b *Broker) WhileConnected(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	remove := b.connection.lost.add(func() { end(ErrDisconnected) })
	if !b.Connected() {
		end(ErrDisconnected)
	}
	return ctx, func() {
		remove()
		end(nil)
	}
}

// checkJetStream waits out a cluster that has no leader yet, but not a server without JetStream, or that does not grant
// what is needed.
func (b *Broker) checkJetStream(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		try, cancel := context.WithTimeout(ctx, apiTimeout)
		err := b.checkRights(try)
		if err == nil {
			_, err = b.js.AccountInfo(try)
		}
		cancel()
		switch {
		case err == nil, errors.Is(err, ErrPermission):
			return err
		case errors.Is(err, jetstream.ErrJetStreamNotEnabled):
			return fmt.Errorf("%w on %s: start that server with -js, or with a jetstream block in its configuration",
				ErrNoJetStream, b.connection.target)
		case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
			return fmt.Errorf("%w for this account on %s: enable it in the account, or log in to another",
				ErrNoJetStream, b.connection.target)
		}
		b.connection.onFailed(err)
		select {
		case <-time.After(retryDelay(attempt)):
		case <-ctx.Done():
			return fmt.Errorf("check JetStream on %s: %w%s", b.connection.target, context.Cause(ctx), b.connection.lastFailure())
		}
		if err := b.WaitConnected(ctx); err != nil {
			return fmt.Errorf("check JetStream on %s: %w", b.connection.target, err)
		}
	}
}

// Close lets what was published leave, closes the connection and stops the embedded server; it returns when all of that
// has happened, after some seconds at worst. It may be called more than once.
func (b *Broker) Close() {
	b.close.Do(func() {
		if b.conn != nil {
			b.closeConn()
		}
		b.abort()
		if b.embedded != nil {
			b.embedded.stop()
		}
	})
}

// closeConn does not drain: the subscribers have stopped by now, and a flush is all that what was published needs.
func (b *Broker) closeConn() {
	if b.Connected() {
		_ = b.conn.FlushTimeout(flushTimeout)
	}
	b.connection.close()
	b.connection.refusals.again.stop()
	b.abort()
	b.conn.Close()
	b.pulse.end()
	b.connection.waitClosed(context.Background())
	b.connection.refusals.again.wait()
}
