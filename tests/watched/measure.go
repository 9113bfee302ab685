package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime/metrics"
	"strconv"
	"time"

	"penstock/engine"
	"penstock/telemetry"
)

// pipeline counts numbers as fast as it can, until it is stopped.
func pipeline() *engine.Pipeline {
	p := engine.New("watched")
	numbers := engine.Source(p, "numbers", func(_ context.Context, next *uint64, emit engine.Emit[uint64]) error {
		for range 64 {
			emit(*next)
			*next++
		}
		return nil
	})
	doubled := engine.Stage(p, "double", engine.On(numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		emit(2 * m.Value)
		return nil
	}))
	engine.Sink(p, "sum", doubled, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error {
		*sum += m.Value
		return nil
	})
	return p
}

// measure runs the pipeline, and lets the modes take turns.
func measure(ctx context.Context, s settings) (*result, error) {
	dir, err := os.MkdirTemp(s.dir, "penstock-watched-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p, ready, ran := pipeline(), make(chan struct{}), make(chan error, 1)
	go func() {
		ran <- p.Run(ctx, engine.Config{
			Dir: dir, Sync: time.Second, DrainTimeout: time.Second, Logger: slog.New(slog.DiscardHandler),
			OnReady: func() error { close(ready); return nil },
		})
	}()
	select {
	case <-ready:
	case err := <-ran:
		return nil, fmt.Errorf("run the pipeline: %w", err)
	}
	b := &bench{p, s, &result{}}
	err = b.turns(ctx)
	stop()
	return b.result, errors.Join(err, <-ran)
}

type bench struct {
	pipeline *engine.Pipeline
	settings settings
	result   *result
}

// turns goes through the modes and back, so that none is always later.
func (b *bench) turns(ctx context.Context) error {
	if _, err := b.turn(ctx); err != nil { // to warm up
		return err
	}
	take := [modes]func(context.Context) (figure, error){
		off: b.turn,
		alone: func(ctx context.Context) (figure, error) {
			return b.served(ctx, func(string) (figure, error) { return b.turn(ctx) })
		},
		watched: func(ctx context.Context) (figure, error) {
			return b.served(ctx, func(url string) (figure, error) { return b.seen(ctx, url) })
		},
	}
	for round := range b.settings.rounds {
		for k := range modes {
			m := k
			if round%2 == 1 {
				m = modes - 1 - k
			}
			f, err := take[m](ctx)
			if err != nil {
				return fmt.Errorf("%v: %w", m, err)
			}
			b.result.figures[m] = append(b.result.figures[m], f)
		}
	}
	return nil
}

// turn counts what the sink takes in the time of a turn.
func (b *bench) turn(ctx context.Context) (figure, error) {
	before, began := b.taken(), time.Now()
	select {
	case <-time.After(b.settings.turn):
	case <-ctx.Done():
		return figure{}, ctx.Err()
	}
	return figure{float64(b.taken()-before) / time.Since(began).Seconds(), memory()}, nil
}

func (b *bench) taken() uint64 {
	stages := b.pipeline.Status().Stages
	return stages[len(stages)-1].In
}

// memory is what the process has of the system.
func memory() uint64 {
	list := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(list)
	return list[0].Value.Uint64() - list[1].Value.Uint64()
}

// served takes a turn while a server shows the pipeline.
func (b *bench) served(ctx context.Context, take func(url string) (figure, error)) (f figure, err error) {
	server, err := telemetry.New(b.pipeline, telemetry.Config{Address: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return f, err
	}
	life, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Serve(life) }()
	f, err = take(server.URL())
	stop()
	return f, errors.Join(err, <-done)
}

// seen takes a turn while dashboards are open, in a process of their own.
func (b *bench) seen(ctx context.Context, url string) (f figure, err error) {
	program, err := os.Executable()
	if err != nil {
		return f, err
	}
	command := exec.CommandContext(ctx, program, "-watch", url, "-dashboards", strconv.Itoa(b.settings.dashboards))
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return f, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return f, err
	}
	if err := command.Start(); err != nil {
		return f, err
	}
	if _, err = io.ReadFull(output, make([]byte, len(open))); err == nil { // all are open
		f, err = b.turn(ctx)
	}
	return f, errors.Join(err, input.Close(), command.Wait())
}
