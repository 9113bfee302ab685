package telemetry

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"penstock/engine/remedy"
	"penstock/telemetry/internal/web"
)

// portsTried is how many ports from the default one on are tried.
const portsTried = 100

var (
	// ErrAddress says that an address cannot be listened on.
	ErrAddress = errors.New("telemetry cannot listen")
	// ErrTokenNeeded says that other machines could reach the server, and nothing
	// keeps them from it.
	ErrTokenNeeded = errors.New("telemetry needs a token")
)

// listen opens the address of a configuration.
func listen(c Config) (net.Listener, error) {
	if c.Address == "" {
		return listenByDefault()
	}
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("%w on %q: %w: write host:port, such as %s", ErrAddress, c.Address, err, DefaultAddress)
	}
	if !isLoopback(host) && c.Token == "" {
		return nil, needsToken(c.Address)
	}
	l, err := net.Listen("tcp", c.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w on %s: another program uses the address: name another one", ErrAddress, c.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("%w on %s: %w", ErrAddress, c.Address, err)
	}
	if local := web.HostOf(l.Addr().String()); c.Token == "" && !isLoopback(local) { // what localhost is, the system's tables say
		return nil, errors.Join(needsToken(c.Address+", which is "+local), l.Close())
	}
	return l, nil
}

func needsToken(address string) error {
	return remedy.Errorf("%w: other machines can reach %s: set one with %v, or listen on 127.0.0.1", ErrTokenNeeded, address, SetToken)
}

func listenByDefault() (net.Listener, error) {
	host, first, _ := net.SplitHostPort(DefaultAddress)
	port, _ := strconv.Atoi(first)
	var last error
	for next := port; next < port+portsTried; next++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(next)))
		if err == nil {
			return l, nil
		}
		last = err
	}
	return nil, fmt.Errorf("%w on any port from %d to %d of %s: %w", ErrAddress, port, port+portsTried-1, host, last)
}

// isLoopback says that only this machine can reach a host.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
