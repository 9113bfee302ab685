package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/examples/fizzbuzz"
	"penstock/telemetry"
)

// served is a pipeline that runs, with its telemetry.
type served struct {
	pipeline *engine.Pipeline
	url      string
	ran      chan struct{} // closed when the run has ended
	err      error         // of the run, then
}

// serve runs a pipeline until the test ends, and its telemetry.
func serve(t *testing.T, p *engine.Pipeline, c telemetry.Config) *served {
	t.Helper()
	needBrowser(t) // before anything is started
	ctx, stop := context.WithCancel(context.Background())
	drained, drain := context.WithCancel(ctx)
	c.Logger = slog.New(slog.DiscardHandler)
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	c.Drain = drain
	server, err := telemetry.New(p, c)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // before the cleanup: it must go after it
	s := &served{pipeline: p, url: server.URL(), ran: make(chan struct{})}
	showed, ready := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(s.ran)
		s.err = p.Run(drained, engine.Config{
			Dir: dir, Sync: time.Second, DrainTimeout: 5 * time.Second, Logger: c.Logger, OnReady: func() error { close(ready); return nil },
		})
	}()
	go func() { showed <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		<-s.ran
		if err := errors.Join(s.err, <-showed); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case <-s.ran:
		t.FailNow() // the cleanup says why
	}
	return s
}

// endless is the lesson without faults, for longer than a test.
func endless() *engine.Pipeline {
	return fizzbuzz.New(fizzbuzz.Config{Rate: 10 * time.Millisecond, Beats: 20_000, Faults: fizzbuzz.FaultsOff})
}

// orders is a pipeline whose stage "check" fails when it is told to.
type orders struct {
	*engine.Pipeline
	next  chan order // what the source emits besides
	fault chan any   // what the next call of check does: an error it returns, or what it panics with

	mended atomic.Bool // check takes bad orders, too
}

type order struct {
	Name string `json:"name"`
	Bad  bool   `json:"bad"` // check rejects it
	Key  string `json:"-"`
}

func newOrders() *orders {
	o := &orders{Pipeline: engine.New("orders"), next: make(chan order, 16), fault: make(chan any, 16)}
	quick := supervise.Backoff{Initial: 50 * time.Millisecond, Max: 50 * time.Millisecond}
	source := engine.Source(o.Pipeline, "entry", func(ctx context.Context, n *uint64, emit engine.Emit[order]) error {
		select {
		case <-time.After(20 * time.Millisecond):
			*n++
			emit(order{Name: fmt.Sprint("order ", *n)})
		case next := <-o.next:
			emit(next, engine.WithKey(next.Key))
		case <-ctx.Done():
			return ctx.Err()
		}
		return nil
	})
	checked := engine.Stage(o.With(engine.RestartBackoff(quick), engine.Attempts(1)), "check",
		engine.On(source, func(_ context.Context, seen *uint64, m engine.Message[order], emit engine.Emit[order]) error {
			select {
			case fault := <-o.fault:
				if err, is := fault.(error); is {
					return err
				}
				panic(fault)
			default:
			}
			if m.Value.Bad && !o.mended.Load() {
				return engine.Reject(errors.New("refused: " + m.Value.Name))
			}
			*seen++
			emit(m.Value, engine.WithKey(m.Key))
			return nil
		}))
	engine.Sink(o.Pipeline, "ship", checked, func(context.Context, *struct{}, engine.Message[order]) error { return nil })
	return o
}
