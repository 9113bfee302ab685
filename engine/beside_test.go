package engine_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/patient"
)

// besides is a pipeline that runs beside its test, and the events it told.
type besides struct {
	t    *testing.T
	p    *engine.Pipeline
	stop context.CancelFunc
	done chan error

	mu     sync.Mutex
	events []supervise.Event
}

// runBeside starts a pipeline that is stopped at the end of the test, if it
// has not ended before.
func runBeside(t *testing.T, p *engine.Pipeline, config engine.Config) *besides {
	t.Helper()
	ctx, stop := bounded(t)
	b := &besides{t: t, p: p, stop: stop, done: make(chan error, 1)}
	config.OnEvent = b.note
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer stop()
		b.done <- p.Run(ctx, config)
	}()
	t.Cleanup(func() { stop(); <-ended })
	return b
}

func (b *besides) note(e supervise.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
}

// told counts the events of a stage or group.
func (b *besides) told(child string, kind supervise.EventKind) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if e.Child == child && e.Kind == kind {
			n++
		}
	}
	return n
}

// end waits until Run returns.
func (b *besides) end() error {
	b.t.Helper()
	select {
	case err := <-b.done:
		return err
	case <-time.After(time.Minute):
		b.t.Fatalf("the run does not end: %+v", b.p.Status())
		return nil
	}
}

// complete waits until Run returns and everything has ended.
func (b *besides) complete() observe.Status {
	b.t.Helper()
	if err := b.end(); err != nil {
		b.t.Fatalf("run: %v", err)
	}
	status := b.p.Status()
	if !status.Completed {
		b.t.Fatalf("the run is not complete: %+v", status)
	}
	return status
}

// until waits for something that the stage's status shows.
func (b *besides) until(stage, what string, is func(observe.StageStatus) bool) {
	b.t.Helper()
	defer func() {
		if b.t.Failed() {
			b.t.Logf("%+v", b.p.Status())
		}
	}()
	patient.Within(b.t, stage+" "+what, func() bool {
		for _, s := range b.p.Status().Stages {
			if s.Name == stage {
				return is(s)
			}
		}
		return false
	})
}

// await waits for a signal.
func await(t *testing.T, what string, signal <-chan struct{}) {
	t.Helper()
	select {
	case <-signal:
	case <-time.After(time.Minute):
		t.Fatalf("not within a minute: %s", what)
	}
}

// countUntil emits 0 to n-1 and ends when it is told to.
func countUntil(n uint64, end <-chan struct{}) engine.SourceFunc[Place, uint64] {
	return func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next < n {
			emit(at.Next)
			at.Next++
			return nil
		}
		select {
		case <-end:
			return io.EOF
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lettersIn reads the dead letters in a directory that is not in use.
func lettersIn(t *testing.T, dir, pipeline string) (letters []dlq.Letter) {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{Dir: dir + "/jetstream", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	queue, found, err := dlq.Lookup(t.Context(), b.JetStream(), pipeline)
	if err != nil || !found {
		t.Fatalf("dead letters of %s: found %v, %v", pipeline, found, err)
	}
	if err := queue.Each(t.Context(), func(l dlq.Letter) error { letters = append(letters, l); return nil }); err != nil {
		t.Fatal(err)
	}
	return letters
}

// faults keeps what a recovery function was told, and answers.
type faults[S any] struct {
	mu     sync.Mutex
	seen   []engine.Fault[S]
	answer func(f engine.Fault[S]) engine.Recovery[S]
}

func (r *faults[S]) recover(_ context.Context, f engine.Fault[S]) engine.Recovery[S] {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, f)
	if r.answer == nil {
		return engine.Recovery[S]{}
	}
	return r.answer(f)
}

func (r *faults[S]) all() []engine.Fault[S] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}
