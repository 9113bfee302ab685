package dlq

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/testing/natsserver"
)

func TestPutTwiceIsOnce(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(33), true)
	again := letterAt(33)
	again.Error, again.Reason = "another cause", ReasonError
	mustPut(t, q, again, false)
	wantCount(t, q, 1)
	if l, found, err := q.Get(t.Context(), again.ID()); err != nil || !found || l.Reason != ReasonPanic {
		t.Fatalf("Get = %+v, %v, %v; want the first letter", l, found, err)
	}
}

func TestPutFillsIn(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := letterAt(33)
	l.Pipeline = ""
	before := time.Now().Add(-time.Second)
	mustPut(t, q, l, true)
	got, _, err := q.Get(t.Context(), l.ID())
	if err != nil || got.Pipeline != "fizzbuzz" || got.At.Before(before) {
		t.Fatalf("Get = %+v, %v", got, err)
	}
}

func TestPutByManyIsOnce(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	var written atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if w, err := q.Put(t.Context(), letterAt(33)); err != nil {
				t.Error(err)
			} else if w {
				written.Add(1)
			}
		})
	}
	all.Wait()
	if written.Load() != 1 {
		t.Fatalf("written %d times", written.Load())
	}
	wantCount(t, q, 1)
}

func TestPutTwiceIsOnceAcrossARestart(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	q := open(t, s.JetStream(), testConfig())
	mustPut(t, q, letterAt(33), true)
	s.Stop()
	s.Again()
	mustPut(t, open(t, s.JetStream(), testConfig()), letterAt(33), false)
	mustPut(t, q, letterAt(33), false)
	mustPut(t, q, letterAt(34), true)
	wantCount(t, q, 2)
}

func TestPutRefusesAnotherMessageOfTheSameOrigin(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(33), true)
	value, key := letterAt(33), letterAt(33)
	value.Value, key.Key = []byte("34"), "k"
	for _, l := range []Letter{value, key} {
		if _, err := q.Put(t.Context(), l); !errors.Is(err, ErrConflict) {
			t.Fatalf("Put = %v, want ErrConflict", err)
		}
	}
}

func TestFullQueue(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*Config){
		"messages": func(c *Config) { c.MaxMessages = 1 },
		"bytes":    func(c *Config) { c.MaxBytes = 700 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := natsserver.Start(t)
			cfg := testConfig()
			set(&cfg)
			q := open(t, s.JetStream(), cfg)
			mustPut(t, q, letterAt(1), true)
			_, err := q.Put(t.Context(), letterAt(2))
			if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "worker.0:generator.0:2") || !strings.Contains(err.Error(), "raise") {
				t.Fatalf("Put = %v, want ErrFull with the letter and the remedy", err)
			}
			mustPut(t, q, letterAt(1), false)
			wantCount(t, q, 1)
			mustPut(t, open(t, s.JetStream(), testConfig()), letterAt(2), true)
		})
	}
}

// A lost answer: the message is stored and the first try has not heard of it.
func TestPutKnowsItsOwnWrite(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	msg, err := q.message(letterAt(33))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if written, err := q.try(t.Context(), msg); err != nil || !written {
		t.Fatalf("try = %v, %v; want true", written, err)
	}
	mustPut(t, q, letterAt(33), false)
}

// impatient makes the queue try often, and tells of each try that failed.
func impatient(q *Queue) <-chan string {
	lines := make(chan string, 1)
	q.retry = retry{answer: 50 * time.Millisecond, first: time.Millisecond, max: 4 * time.Millisecond, gone: 8, logEvery: 2}
	q.logger = slog.New(slog.NewTextHandler(writerFunc(func(p []byte) {
		select {
		case lines <- string(p):
		default:
		}
	}), nil))
	return lines
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(bytes.Clone(p)); return len(p), nil }

func TestPutOutlastsAnOutage(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	q := open(t, s.JetStream(), testConfig())
	failed := impatient(q)
	s.Stop()
	var put sync.WaitGroup
	put.Go(func() {
		if written, err := q.Put(t.Context(), letterAt(33)); err != nil || !written {
			t.Errorf("Put = %v, %v; want true", written, err)
		}
	})
	for range 3 {
		if line := <-failed; !strings.Contains(line, "worker.0:generator.0:33") {
			t.Errorf("log %q", line)
		}
	}
	s.Again()
	put.Wait()
	wantCount(t, q, 1)
}

func TestPutEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	q := open(t, s.JetStream(), testConfig())
	failed := impatient(q)
	s.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var put sync.WaitGroup
	put.Go(func() {
		written, err := q.Put(ctx, letterAt(33))
		if written || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "outcome unknown") {
			t.Errorf("Put = %v, %v; want context.Canceled", written, err)
		}
	})
	<-failed
	cancel()
	put.Wait()
}

func TestPutGivesUpADeletedStream(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	impatient(q)
	if err := q.DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Put(t.Context(), letterAt(33)); !errors.Is(err, ErrGone) {
		t.Fatalf("Put = %v, want ErrGone", err)
	}
}

func TestPutWritesToNoOtherStream(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	if err := q.DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	archive, err := q.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "archive", Subjects: []string{"fizzbuzz.>"}})
	if err != nil {
		t.Fatal(err)
	}
	if written, err := q.Put(t.Context(), letterAt(33)); written || err == nil {
		t.Fatalf("Put = %v, %v; want an error", written, err)
	}
	if info, err := archive.Info(t.Context()); err != nil || info.State.Msgs != 0 {
		t.Fatalf("the other stream got %d messages, %v", info.State.Msgs, err)
	}
}

func TestPutGivesUpAClosedConnection(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	q.js.Conn().Close()
	if _, err := q.Put(t.Context(), letterAt(33)); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Fatalf("Put = %v, want ErrConnectionClosed", err)
	}
}

func TestPutUpToTheMaximumPayload(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	most := int(q.js.Conn().MaxPayload())
	l := greatest("x")
	l.Pipeline = "fizzbuzz"
	l.Key = strings.Repeat("k", 10_000)
	l.Value = bytes.Repeat([]byte("v"), most-len(l.Key)-Overhead)
	mustPut(t, q, l, true)
	got, _, err := q.Get(t.Context(), l.ID())
	if err != nil || !bytes.Equal(got.Value, l.Value) || got.Key != l.Key || !strings.Contains(got.Stack, "cut, 100000 bytes") {
		t.Fatalf("Get = %v, %d bytes, stack %q", err, len(got.Value), got.Stack)
	}
	l.Offset--
	l.Value = bytes.Repeat([]byte("v"), most)
	if _, err := q.Put(t.Context(), l); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "max_payload") {
		t.Fatalf("Put = %v, want ErrTooLarge with the remedy", err)
	}
}

// The server takes the greatest headers that Put can write.
func TestPutTheGreatestHeaders(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	for i, unit := range []string{"x", "\n", "\xff", "a\n"} {
		l := greatest(unit)
		l.Pipeline, l.Offset = "fizzbuzz", uint64(i)
		mustPut(t, q, l, true)
	}
}
