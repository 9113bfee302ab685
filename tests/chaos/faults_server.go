//go:build linux

package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"time"
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
	address string // with the port, which stays
	port    string
	child   *child
}

func (c *cycle) startServer() (*natsServer, error) {
	s := &natsServer{cycle: c, dir: filepath.Join(c.root, "server"), port: "-1"}
	if c.needs.volume == serverVolume {
		s.dir = filepath.Join(c.root, "run", "server")
	}
	return s, s.start()
}

func (s *natsServer) url() string { return "nats://" + s.address }

// start starts the server and waits until it listens.
func (s *natsServer) start() (err error) {
	s.child, err = startChild([]string{asServer, "-dir", s.dir, "-port", s.port}, nil, s.cycle.echo)
	if err != nil {
		return err
	}
	address := func() string {
		s.child.mu.Lock()
		defer s.child.mu.Unlock()
		return s.child.address
	}
	if !s.child.until(s.cycle.patience, func() bool { return address() != "" }) {
		s.child.kill()
		return fmt.Errorf("the NATS server does not listen: %s", s.child.reason())
	}
	u, err := url.Parse(address())
	if err != nil {
		return err
	}
	s.address, s.port = u.Host, u.Port()
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
	if !c.server.child.alive() {
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
