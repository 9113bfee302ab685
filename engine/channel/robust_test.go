package channel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// reading is a reader that has taken a few frames, with its log.
func reading(t *testing.T, cfg ReaderConfig) (*writer, *running, *journal) {
	t.Helper()
	j := &journal{}
	s := spec()
	s.Logger = j.logger()
	c := openChannel(t, embedded(t), s)
	w := newWriter(t, c)
	for range 17 {
		w.write(1)
	}
	r := startReader(t, c, cfg)
	r.offsets(0, 17)
	return w, r, j
}

func TestConsumerDeleted(t *testing.T) {
	t.Parallel()
	w, r, j := reading(t, ReaderConfig{})
	for i := range uint64(3) {
		if err := w.c.broker.JetStream().DeleteConsumer(testContext(t), w.c.name, "worker-0"); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			t.Fatal(err)
		}
		w.write(1)
		r.offsets(17+i, 18+i)
	}
	if j.count("consumer worker-0 of fizzbuzz+generator was gone: recreated at offset 17") != 1 || j.count("level=WARN") != 1 {
		t.Errorf("log: %s", j.text.String())
	}
}

func TestStreamDeletedWhileReading(t *testing.T) {
	t.Parallel()
	w, r, _ := reading(t, ReaderConfig{})
	if err := w.c.Delete(testContext(t)); err != nil {
		t.Fatal(err)
	}
	r.refused(ErrStreamLost, "fizzbuzz+generator", "were not read yet are lost")
}

func TestConsumerEdited(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*jetstream.ConsumerConfig){
		"headers only":   func(cfg *jetstream.ConsumerConfig) { cfg.HeadersOnly = true },
		"another filter": func(cfg *jetstream.ConsumerConfig) { cfg.FilterSubject = "fizzbuzz.generator.7" },
		"small requests": func(cfg *jetstream.ConsumerConfig) { cfg.MaxRequestBatch = 1 },
		"few unacked":    func(cfg *jetstream.ConsumerConfig) { cfg.MaxAckPending = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, r, _ := reading(t, ReaderConfig{})
			consumer, err := w.c.broker.JetStream().Consumer(testContext(t), w.c.name, "worker-0")
			if err != nil {
				t.Fatal(err)
			}
			cfg := consumer.CachedInfo().Config
			change(&cfg)
			if _, err := w.c.broker.JetStream().UpdateConsumer(testContext(t), w.c.name, cfg); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				w.write(1)
			}
			r.offsets(17, 37)
		})
	}
}

func TestConsumerPaused(t *testing.T) {
	t.Parallel()
	var last atomic.Uint64
	w, r, j := reading(t, ReaderConfig{ProducerLast: last.Load})
	if _, err := w.c.broker.JetStream().PauseConsumer(testContext(t), w.c.name, "worker-0", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	last.Store(w.write(1))
	r.offsets(17, 18)
	if j.count("recreated at offset 17") != 1 {
		t.Errorf("log: %s", j.text.String())
	}
}

func TestMessageStolen(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	for range 40 {
		w.write(1)
	}
	r := startReader(t, c, ReaderConfig{Prefetch: 4})
	r.offsets(0, 10)
	consumer, err := c.broker.JetStream().Consumer(testContext(t), c.name, "worker-0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	r.offsets(10, 40)
}

func TestServerRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	wc := openChannel(t, e.broker(t), spec())
	rc := openChannel(t, e.broker(t), spec())
	const perFrame, restarts = 5, 4
	ctx, finish := context.WithCancel(testContext(t))
	defer finish()
	w := newWriter(t, wc)
	written := make(chan error, 1)
	var end atomic.Uint64
	go func() {
		for ctx.Err() == nil {
			if err := w.insist(testContext(t), w.encodeNext("", perFrame, 0, nil)); err != nil {
				written <- err
				return
			}
			end.Store(w.next[""])
		}
		written <- nil
	}()
	r := startReader(t, rc, ReaderConfig{})
	var at uint64
	for range restarts {
		r.offsets(at, at+200*perFrame)
		at += 200 * perFrame
		e.Stop()
		e.Again()
	}
	r.offsets(at, at+200*perFrame)
	at += 200 * perFrame
	finish()
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	r.offsets(at, end.Load())
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if info, err := wc.Info(testContext(t)); err != nil || info.Frames*perFrame != end.Load() {
		t.Errorf("%d frames stored for %d messages, %v", info.Frames, end.Load(), err)
	}
}

func TestRetriesAreTold(t *testing.T) {
	t.Parallel()
	// With a full set of consumers the reader has to wait until there is room for its own.
	j := &journal{}
	s := spec()
	s.Logger = j.logger()
	c := openChannel(t, embedded(t), s)
	cfg := c.mustStream(t).CachedInfo().Config
	cfg.MaxConsumers = 1
	ctx := testContext(t)
	if _, err := c.broker.JetStream().UpdateStream(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := c.mustStream(t).CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "other"}); err != nil {
		t.Fatal(err)
	}
	newWriter(t, c).write(1)
	r := startReader(t, c, ReaderConfig{})
	for j.count("cannot create the consumer") == 0 {
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Restore(ctx); err != nil {
		t.Fatal(err)
	}
	r.offsets(0, 1)
	if n := j.count("cannot create the consumer"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A consumer that was edited and still gives a frame now and then is never quiet.
func TestConsumerThatCrawls(t *testing.T) {
	t.Parallel()
	w, r, j := reading(t, ReaderConfig{})
	js := w.c.broker.JetStream()
	consumer, err := js.Consumer(testContext(t), w.c.name, "worker-0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := consumer.CachedInfo().Config
	cfg.MaxAckPending = 1
	if _, err := js.UpdateConsumer(testContext(t), w.c.name, cfg); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		w.write(1)
	}
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for next := uint64(17); next < 217 && j.count("was edited: recreated") == 0; next++ {
		r.offsets(next, next+1)
		<-pace.C
	}
	if j.count("consumer worker-0 of fizzbuzz+generator was edited: recreated") != 1 {
		t.Errorf("it crawls on; log: %s", j.text.String())
	}
}

// Somebody who was the owner goes on for a moment, and puts his consumers in the place of those of the new one: what they
// pass over is not missing.
func TestTheConsumersOfTwoOwners(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	const frames = 20
	for range frames {
		w.write(1)
	}
	for range 30 {
		before := startReader(t, c, ReaderConfig{Position: Position{Offset: frames - 5, Sequence: frames - 4}})
		now := startReader(t, c, ReaderConfig{})
		before.offsets(frames-5, frames)
		if err := before.stop(); !errors.Is(err, context.Canceled) && err != nil {
			t.Fatalf("the one before: %v", err)
		}
		now.offsets(0, frames)
		if err := now.stop(); !errors.Is(err, context.Canceled) && err != nil {
			t.Fatalf("the new one: %v", err)
		}
	}
}
