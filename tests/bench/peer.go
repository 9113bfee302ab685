package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"penstock/internal/testing/natsserver"
)

// peer is a way to write by hand what a pipeline does: how to send the messages
// of a topic, and how to relay them.
type peer struct {
	system    string
	guarantee string
	share     share
	ordered   bool                          // order holds from one sender through any number of relays
	stream    func(*jetstream.StreamConfig) // what its streams need, if anything
	send      func(*program, sending) (role, error)
	relay     func(*program, relaying) (role, error)
}

// peers are all of them. The first is what the others are measured by.
func peers() []peer { return append([]peer{byHand, windowed, batched}, watermills()...) }

// role is a part of a program that runs beside the others until all its
// messages are through, and its last acknowledgement at the server.
type role func(context.Context) error

// sending makes and publishes n messages.
type sending struct {
	topic string
	n     uint64
	make  func(i uint64) ([]byte, error)
}

// relaying takes n messages of a topic. What handle returns goes to the topic
// to, unless that is "". Calls of handle come one at a time.
type relaying struct {
	name, from, to string
	n              uint64
	handle         func([]byte) ([]byte, error)
}

// program is what is built of the roles of one peer, on a server of its own.
type program struct {
	ctx   context.Context // of building only
	peer  peer
	admin jetstream.JetStream
	serve *server.Server
	roles []role
	close []func()
}

// topic makes a stream of that name.
func (p *program) topic(name string) error {
	config := jetstream.StreamConfig{Name: name, Subjects: []string{name}}
	if p.peer.stream != nil {
		p.peer.stream(&config)
	}
	_, err := p.admin.CreateStream(p.ctx, config)
	if err != nil {
		return fmt.Errorf("create the stream %s: %w", name, err)
	}
	return nil
}

func (p *program) sender(s sending) error {
	run, err := p.peer.send(p, s)
	p.roles = append(p.roles, run)
	return err
}

func (p *program) relayer(r relaying) error {
	run, err := p.peer.relay(p, r)
	p.roles = append(p.roles, run)
	return err
}

// connect gives each role its connection.
func (p *program) connect() (*nats.Conn, error) {
	conn, err := connect(p.serve)
	if err == nil {
		p.close = append(p.close, conn.Close)
	}
	return conn, err
}

// builder builds the program that moves n messages, all of its streams and
// consumers; check, if any, judges the result.
type builder func(p *program, n uint64) (check func() error, err error)

// run is the side of a comparison that runs the program.
func (of peer) run(build builder) sideFunc {
	return func(ctx context.Context, dir string, sync syncMode, n int) (o outcome, err error) {
		s, err := startServer(dir, sync)
		if err != nil {
			return o, err
		}
		defer natsserver.Stop(s)
		p := &program{ctx: ctx, peer: of, serve: s}
		defer func() {
			for _, f := range p.close {
				f()
			}
		}()
		conn, err := p.connect()
		if err != nil {
			return o, err
		}
		if p.admin, err = jetstream.New(conn); err != nil {
			return o, fmt.Errorf("JetStream: %w", err)
		}
		check, err := build(p, uint64(n))
		if err != nil {
			return o, err
		}
		began := time.Now()
		group, ctx := errgroup.WithContext(ctx)
		for _, r := range p.roles {
			group.Go(func() error { return r(ctx) })
		}
		err = group.Wait()
		o.took = time.Since(began)
		if err == nil && check != nil {
			err = check()
		}
		return o, err
	}
}

// await waits for what a role does in the background.
func await(ctx context.Context, what string, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
	}
}

// tell gives the first error, or the end, to who waits.
func tell(done chan<- error, err error) {
	select {
	case done <- err:
	default:
	}
}
