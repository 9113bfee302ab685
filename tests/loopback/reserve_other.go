//go:build !linux

package loopback

import (
	"fmt"
	"net"
)

// Reserve returns a port of 127.0.0.1 that is free now: on this system nothing keeps it for the caller. It is safe for
// concurrent use.
func Reserve() (port int, release func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	return port, func() {}, nil
}
