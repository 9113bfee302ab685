package broker

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const dialTimeout = 4 * time.Second

var errLater = errors.New("not yet")

// dialer makes a broker's connections so that Close and Open's context can end any of them: nats.go would otherwise
// wait for a mute server with its lock held.
type dialer struct {
	dial  func(network, address string) (net.Conn, error)
	armed atomic.Bool // until then every dial fails at once: nats.Connect would block its caller for the first one
}

var _ nats.CustomDialer = (*dialer)(nil)

func newDialer(life context.Context) *dialer {
	var d net.Dialer
	return &dialer{dial: func(network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(life, dialTimeout)
		defer cancel()
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &boundConn{conn, context.AfterFunc(life, func() { conn.Close() })}, nil
	}}
}

// Dial is called by nats.go.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	if !d.armed.Load() {
		return nil, errLater
	}
	return d.dial(network, address)
}

type boundConn struct {
	net.Conn
	unbind func() bool
}

func (c *boundConn) Close() error {
	c.unbind()
	return c.Conn.Close()
}
