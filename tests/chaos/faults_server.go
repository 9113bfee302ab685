//go:build linux

package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"penstock/tests/loopback"
)

func serverFaults() []fault {
	return []fault{
		{"broker-kill", "the NATS server is killed and started again at once", needs{server: true}, (*cycle).killServer},
		{"broker-away", "the NATS server is killed and stays away for a while", needs{server: true}, (*cycle).serverAway},
		{"broker-often", "the NATS server is killed five times in a row", needs{server: true}, (*cycle).killServerOften},
	}
}

// natsServer is a NATS server in a process of its own. It keeps its port when it comes back.
type natsServer struct {
	cycle   *cycle
	dir     string
	port    int
	release func() // the port
	child   *process
}

func (c *cycle) startServer() (*natsServer, error) {
	port, release, err := loopback.Reserve()
	if err != nil {
		return nil, err
	}
	s := &natsServer{cycle: c, dir: filepath.Join(c.root, "server"), port: port, release: release}
	if c.needs.volume == serverVolume {
		s.dir = filepath.Join(c.root, "run", "server")
	}
	return s, s.start()
}

func (s *natsServer) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

func (s *natsServer) url() string { return "nats://" + s.address() }

func (s *natsServer) close() {
	if s.child != nil {
		s.child.kill()
	}
	s.release()
}

// start starts the server and waits until it listens.
func (s *natsServer) start() (err error) {
	s.child, err = startChild([]string{asServer, "-dir", s.dir, "-port", strconv.Itoa(s.port)}, nil, s.cycle.echo)
	if err != nil {
		return err
	}
	listens := func() bool {
		s.child.mu.Lock()
		defer s.child.mu.Unlock()
		return s.child.listens
	}
	if !s.child.Until(s.cycle.patience, listens) {
		s.child.kill()
		return fmt.Errorf("the NATS server does not listen: %s", s.child.reason())
	}
	return nil
}

func (c *cycle) killServer(during func() error) error { return c.serverGone(0, during) }

func (c *cycle) serverAway(during func() error) error { return c.serverGone(c.away, during) }

// serverGone kills the server and has it back. The pipeline must go on by itself.
func (c *cycle) serverGone(away time.Duration, during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	c.server.child.kill()
	if away > 0 {
		if err := c.stay(away); err != nil {
			return err
		}
	}
	err := during()
	if !c.server.child.IsAlive() {
		if err := c.server.start(); err != nil {
			return err
		}
	}
	c.lift()
	return err
}

func (c *cycle) killServerOften(during func() error) error {
	for range 4 {
		if err := c.killServer(func() error { return nil }); err != nil {
			return err
		}
	}
	return c.killServer(during)
}
