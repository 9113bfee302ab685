package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
)

// beat is how often both make progress when all is well.
const beat = 10 * time.Millisecond

// pauses are the times between two steps of progress.
type pauses struct {
	mu   sync.Mutex
	last time.Time
	most time.Duration
	n    int
}

func (p *pauses) progress() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.last.IsZero() {
		p.most = max(p.most, now.Sub(p.last))
	}
	p.last = now
	p.n++
}

func (p *pauses) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.most, p.n = time.Now(), 0, 0
}

// longest counts the pause under way too.
func (p *pauses) longest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.most, time.Since(p.last)).Round(10 * time.Millisecond)
}

func (p *pauses) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

// plainStreams are as many as the pipeline has: which of the new leaders comes last decides how long each stands still.
var plainStreams = []string{"plain-0", "plain-1", "plain-2"}

// publisher publishes one message after another to each of its streams with three replicas, until it is acknowledged.
type publisher struct {
	pauses pauses
	stop   func()
}

func startPublisher(urls string) (*publisher, error) {
	conn, err := nats.Connect(urls, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	limit := time.Now().Add(time.Minute)
	for _, name := range plainStreams {
		if err := createPlain(ctx, js, name, limit); err != nil {
			cancel()
			return nil, err
		}
	}
	p := &publisher{}
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; ctx.Err() == nil; {
			try, done := context.WithTimeout(ctx, time.Second)
			_, err := js.Publish(try, plainStreams[n%len(plainStreams)], []byte("plain"))
			done()
			if err != nil {
				continue
			}
			if n++; n%len(plainStreams) == 0 {
				p.pauses.progress()
				time.Sleep(beat)
			}
		}
	})
	p.stop = func() { cancel(); all.Wait(); conn.Close() }
	return p, nil
}

// createPlain makes a stream when the cluster is up.
func createPlain(ctx context.Context, js jetstream.JetStream, name string, limit time.Time) error {
	for {
		try, done := context.WithTimeout(ctx, 2*time.Second)
		_, err := js.CreateStream(try, jetstream.StreamConfig{Name: name, Subjects: []string{name}, Replicas: 3})
		done()
		if err == nil {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("the cluster does not come up: %w", err)
		}
	}
}

// pipeline counts in its sink what its source has emitted.
type pipeline struct {
	pauses pauses
	p      *engine.Pipeline
	sum    atomic.Uint64
	stop   atomic.Bool
	done   chan error
	logger *slog.Logger
}

func startPipeline(dir, urls string, logger *slog.Logger) *pipeline {
	l := &pipeline{p: engine.New("leaders"), done: make(chan error, 1), logger: logger}
	numbers := engine.Source(l.p, "numbers", func(_ context.Context, n *uint64, emit engine.Emit[uint64]) error {
		if l.stop.Load() {
			return io.EOF
		}
		time.Sleep(beat)
		emit(*n)
		*n++
		return nil
	})
	sums := engine.Stage(l.p, "sums", engine.On(numbers,
		func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*sum += m.Value
			emit(*sum)
			return nil
		}))
	engine.Sink(l.p, "sink", sums, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		l.pauses.progress()
		l.sum.Store(m.Value)
		return nil
	})
	go func() {
		l.done <- l.p.Run(context.Background(), engine.Config{
			Dir: filepath.Join(dir, "pipeline"), NATS: engine.NATS{URL: urls, Replicas: 3}, Logger: logger,
		})
	}()
	return l
}

func (l *pipeline) waitRunning() error {
	for limit := time.Now().Add(time.Minute); l.pauses.count() == 0; {
		select {
		case err := <-l.done:
			return fmt.Errorf("the pipeline ended: %w", err)
		case <-time.After(beat):
		}
		if time.Now().After(limit) {
			return errors.New("the pipeline does not get going")
		}
	}
	return nil
}

// finish ends the pipeline and checks its result.
func (l *pipeline) finish() error {
	l.stop.Store(true)
	if err := <-l.done; err != nil {
		return err
	}
	status := l.p.Status()
	n := status.Stages[0].Out
	if want := n * (n - 1) / 2; l.sum.Load() != want || !status.Completed {
		return fmt.Errorf("the sum of %d numbers is %d, want %d", n, l.sum.Load(), want)
	}
	fmt.Printf("the sum of %d numbers is exact\n", n)
	return nil
}
