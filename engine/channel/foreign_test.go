package channel

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"penstock/engine/frame"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// garbage are messages of another client. Those with a frame get one that is valid, in the way that c's would be.
func garbage(t testing.TB) map[string][]byte {
	other := section("", 0, 3, 0)
	return map[string][]byte{
		"text":              []byte("19 bytes of garbage"),
		"nothing":           {},
		"magic":             []byte("PSTK\x01 and no frame"),
		"a newer version":   []byte("PSTK\xff and no frame"),
		"a frame, same":     encode(t, &frame.Frame{Epoch: 1, Commit: 3, Sections: []frame.Section{other}}),
		"a fence, far away": encode(t, &frame.Frame{Owner: 9, Epoch: 90, Commit: 900, Kind: frame.KindFence, Ended: true, Sections: []frame.Section{{Base: 77}}}),
	}
}

// inject publishes as another client does.
func inject(t testing.TB, c *Channel, subject string, data []byte) uint64 {
	t.Helper()
	ack, err := c.broker.JetStream().PublishMsg(testContext(t), &nats.Msg{Subject: subject, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return ack.Sequence
}

func TestForeignMessagesBehindTheLastFrame(t *testing.T) {
	t.Parallel()
	for name, data := range garbage(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var met []Foreign
			s := spec()
			s.OnForeign = func(f Foreign) { mu.Lock(); defer mu.Unlock(); met = append(met, f) }
			c := openChannel(t, embedded(t), s)
			if inject(t, c, c.subject, data); data != nil {
				if rec, found, err := c.Last(testContext(t)); found || err != nil || rec.Tail != 1 {
					t.Fatalf("in an empty channel: %+v, %v, %v", rec, found, err)
				}
			}
			w := newWriter(t, c)
			w.last = 1
			w.write(2)
			last := w.write(2)
			for k := range uint64(3) {
				tail := inject(t, c, c.subject, data)
				rec, found, err := c.Last(testContext(t))
				if err != nil || !found || rec.Sequence != last || rec.Tail != tail || tail != last+1+k {
					t.Fatalf("after %d: sequence %d, tail %d, %v, %v", k+1, rec.Sequence, rec.Tail, found, err)
				}
			}
			if _, err := c.Publish(w.encodeNext("", 1, 0, nil), last, Trace{}).Result(); err == nil {
				t.Error("a commit passed that did not expect the last message")
			}
			w.next[""]--
			w.commit--
			w.last = last + 3
			w.write(4)
			r := startReader(t, c, ReaderConfig{})
			r.offsets(0, 8)
			if err := r.stop(); err != nil {
				t.Error(err)
			}
			frames := 0
			if err := c.Replay(testContext(t), 1, func(Record) error { frames++; return nil }); err != nil || frames != 3 {
				t.Errorf("%d frames, %v", frames, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(met) != 4 || c.Foreign() != 4 || met[3].Size != len(data) || !met[3].Told || met[3].Count != 4 {
				t.Errorf("%d counted, %d of them by the channel: %+v", len(met), c.Foreign(), met)
			}
		})
	}
}

func TestForeignMessagesBetweenFrames(t *testing.T) {
	t.Parallel()
	j := &journal{}
	s := spec()
	s.Logger = j.logger()
	c := openChannel(t, embedded(t), s)
	w := newWriter(t, c)
	r := startReader(t, c, ReaderConfig{})
	random := rand.New(rand.NewPCG(1, 2))
	kinds := garbage(t)
	var injected uint64
	for range 40 {
		for _, data := range kinds {
			if random.IntN(2) == 0 {
				w.last = inject(t, c, c.subject, data)
				injected++
			}
		}
		w.write(1)
	}
	r.offsets(0, 40)
	if c.Foreign() != injected {
		t.Errorf("%d counted of %d", c.Foreign(), injected)
	}
	// A reader at any place takes what is behind it.
	for _, p := range []Position{{Offset: 7}, {Offset: 20, Sequence: w.last / 2}, {Offset: 40, Sequence: w.last + 1}, {Offset: 39, Sequence: w.last}} {
		late := startReader(t, c, ReaderConfig{Name: fmt.Sprint("late-", p.Offset), Position: p})
		w.last = inject(t, c, c.subject, []byte("again"))
		w.write(1)
		late.offsets(p.Offset, w.next[""])
	}
	if n := j.count("set aside a message of another client"); n == 0 || n > 12 {
		t.Errorf("%d messages were told %d times: %s", injected, n, j.text.String())
	}
}

// A foreign message does not hide that frames are missing.
func TestForeignMessagesHideNoGap(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	w.write(1)
	lost := w.write(1)
	w.last = inject(t, c, c.subject, []byte("garbage"))
	w.write(1)
	if err := c.mustStream(t).DeleteMsg(testContext(t), lost); err != nil {
		t.Fatal(err)
	}
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 1)
	wantError(t, <-r.result, ErrGap, "offsets 1 to 1")
}

// What was published as a commit and cannot be read is damaged, and never passed over.
func TestADamagedFrameIsNotForeign(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	w.write(1)
	bad := w.encodeNext("", 1, 0, nil)
	bad[len(bad)/2] ^= 1
	w.publish(bad)
	if _, _, err := c.Last(testContext(t)); err == nil {
		t.Error("the last frame is damaged, and another is taken for it")
	}
	w.write(1)
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 1)
	wantError(t, <-r.result, ErrCorruptFrame, "sequence 2")
	wantError(t, c.Replay(testContext(t), 1, func(Record) error { return nil }), ErrCorruptFrame)
}

func TestAFloodIsCountedAndSampled(t *testing.T) {
	t.Parallel()
	j := &journal{}
	s := spec()
	s.Logger = j.logger()
	c := openChannel(t, embedded(t), s)
	w := newWriter(t, c)
	last := w.write(1)
	flood := func(n int) {
		t.Helper()
		for range n - 1 {
			if err := c.broker.Conn().Publish(c.subject, []byte("flood")); err != nil {
				t.Fatal(err)
			}
		}
		inject(t, c, c.subject, []byte("flood")) // comes after them
	}
	for k := range 3 {
		flood(5000)
		rec, found, err := c.Last(testContext(t))
		if err != nil || !found || rec.Sequence != last || rec.Tail != last+uint64(k+1)*5000 {
			t.Fatalf("sequence %d, tail %d, %v, %v", rec.Sequence, rec.Tail, found, err)
		}
	}
	if c.Foreign() != 15_000 {
		t.Errorf("%d counted", c.Foreign())
	}
	w.last = last + 15_000
	before := w.write(1)
	if n := j.count("set aside a message of another client"); n < 5 || n > 20 {
		t.Errorf("15,000 messages are told in %d lines", n)
	}
	// Trimming takes them along, also those on other subjects, and leaves the last frame.
	inject(t, c, "fizzbuzz.generator.other", []byte("garbage"))
	w.last = inject(t, c, c.subject, []byte("garbage"))
	end := w.write(1)
	inject(t, c, "fizzbuzz.generator.7", []byte("garbage"))
	inject(t, c, c.subject, []byte("garbage"))
	if err := c.Trim(testContext(t), before); err != nil {
		t.Fatal(err)
	}
	if info, err := c.Info(testContext(t)); err != nil || info.First != before {
		t.Errorf("%+v, %v", info, err)
	}
	if err := c.Trim(testContext(t), end+2); err != nil {
		t.Fatal(err)
	}
	if rec, found, err := c.Last(testContext(t)); err != nil || !found || rec.Sequence != end {
		t.Errorf("the last frame is %d, %v, %v", rec.Sequence, found, err)
	}
	if info, err := c.Info(testContext(t)); err != nil || info.First != end || info.Frames != 3 {
		t.Errorf("%+v, %v", info, err)
	}
}

// Another instance's frames are never trimmed for a foreign message's sake.
func TestTrimSparesOtherInstances(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	other := newWriter(t, c.Instance(1))
	first := other.write(1)
	w := newWriter(t, c)
	inject(t, c, "fizzbuzz.generator.other", []byte("garbage"))
	w.write(1)
	if err := c.Trim(testContext(t), w.write(1)); err != nil {
		t.Fatal(err)
	}
	if rec, found, err := other.c.Last(testContext(t)); err != nil || !found || rec.Sequence != first {
		t.Errorf("%+v, %v, %v", rec, found, err)
	}
}

// A stream that a server copies from another has no expected sequences any more, and says that it was copied.
func TestAStreamThatWasCopiedIsRead(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	w := newWriter(t, c)
	for range 5 {
		w.write(2)
	}
	js, ctx := b.JetStream(), testContext(t)
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "kept", Sources: []*jetstream.StreamSource{{Name: c.name}}}); err != nil {
		t.Fatal(err)
	}
	awaitMessages(t, js, "kept", 5)
	if _, err := js.UpdateStream(ctx, jetstream.StreamConfig{Name: "kept"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	cfg := (&Spec{Pipeline: "fizzbuzz", Stage: "generator", Identity: "id-1"}).config(1)
	cfg.Sources = []*jetstream.StreamSource{{Name: "kept"}}
	if _, err := js.CreateStream(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	awaitMessages(t, js, c.name, 5)
	c = openChannel(t, b, spec())
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 10)
	if rec, found, err := c.Last(ctx); err != nil || !found || rec.Frame.Commit != 5 || c.Foreign() != 0 {
		t.Errorf("%+v, %v, %v", rec, found, err)
	}
}

func awaitMessages(t *testing.T, js jetstream.JetStream, stream string, n uint64) {
	t.Helper()
	ctx := testContext(t)
	for {
		s, err := js.Stream(ctx, stream)
		if err != nil {
			t.Fatal(err)
		}
		if s.CachedInfo().State.Msgs == n {
			return
		}
		if err := pause(ctx, firstDelay); err != nil {
			t.Fatalf("%s has %d messages: %v", stream, s.CachedInfo().State.Msgs, err)
		}
	}
}

// While another client floods the subject the writer still gets through.
func TestCommitsPassAFlood(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	ctx, stop := context.WithCancel(testContext(t))
	var flooding sync.WaitGroup
	flooding.Go(func() {
		for ctx.Err() == nil {
			_, _ = c.broker.JetStream().Publish(ctx, c.subject, bytes.Repeat([]byte("x"), 100))
		}
	})
	commits := uint64(30)
	if testing.Short() {
		commits = 10
	}
	for range commits {
		data := w.encodeNext("", 1, 0, nil)
		for {
			sequence, err := c.Publish(data, w.last, Trace{}).Result()
			if err == nil {
				w.last = sequence
				break
			}
			rec, _, err := c.Last(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			w.last = rec.Tail
		}
	}
	stop()
	flooding.Wait()
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, commits)
}
