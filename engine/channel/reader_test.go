package channel

import (
	"context"
	"errors"
	"testing"
	"time"

	"penstock/engine/frame"

	"github.com/nats-io/nats.go/jetstream"
)

func TestReaderBeginsAtItsPosition(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	for range 10 {
		w.write(3) // frame n holds offsets 3(n-1) to 3n-1
	}
	for name, p := range map[string]Position{
		"from the start":               {Offset: 0, Sequence: 0},
		"start of a frame":             {Offset: 12, Sequence: 5},
		"one behind the last consumed": {Offset: 12, Sequence: 4},
		"in the middle of a frame":     {Offset: 13, Sequence: 5},
		"no hint":                      {Offset: 13, Sequence: 0},
		"hint too low":                 {Offset: 13, Sequence: 1},
		"hint too high":                {Offset: 13, Sequence: 8},
		"hint is the last frame":       {Offset: 13, Sequence: 10},
		"hint beyond the end":          {Offset: 13, Sequence: 500},
		"at the end":                   {Offset: 30, Sequence: 11},
		"at the end, no hint":          {Offset: 30, Sequence: 0},
		"at the end, foreign hint":     {Offset: 30, Sequence: 500},
	} {
		t.Run(name, func(t *testing.T) {
			r := startReader(t, c, ReaderConfig{Position: p})
			d := Delivery{}
			if p.Offset < 30 {
				d = r.take()
				if want := p.Offset % 3; d.Skip != want || d.Section.Base != p.Offset-want || d.Sequence != p.Offset/3+1 {
					t.Errorf("sequence %d, base %d, skip %d", d.Sequence, d.Section.Base, d.Skip)
				}
				r.offsets(d.Section.Next(), 30)
			}
			if err := r.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReaderFollows(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	r := startReader(t, c, ReaderConfig{Prefetch: 4})
	for i := range uint64(100) {
		w.write(2)
		r.offsets(2*i, 2*i+2)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

func TestReaderSwallowsWhatIsForOthers(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	w.publish(w.encodeNext("left", 2, 0, nil))
	fence := w.bare(func(f *frame.Frame) {
		f.Kind = frame.KindFence
		f.Sections = []frame.Section{{Branch: "left", Base: 2}, {Branch: "right", Base: 0}}
	})
	for range 5 {
		w.publish(w.encodeNext("right", 1, 0, nil))
	}
	last := w.publish(w.encodeNext("left", 2, 0, nil))
	end := w.bare(func(f *frame.Frame) { f.Ended = true })
	tail := w.bare(func(f *frame.Frame) { f.Kind = frame.KindFence })

	left := startReader(t, c, ReaderConfig{Name: "left-0", Branch: "left"})
	if d := left.take(); d.Sequence != 1 || d.Section.Count != 2 {
		t.Errorf("first delivery: %+v", d)
	}
	if d := left.take(); d.Sequence != last || d.Section.Base != 2 || d.Ended {
		t.Errorf("second delivery: %+v", d)
	}
	d := left.take()
	if d.Sequence != end || !d.Ended || d.Section.Count != 0 || d.Epoch != 1 {
		t.Errorf("third delivery: %+v", d)
	}
	left.Ack(d)
	awaitAcked(t, c, "left-0", tail)

	right := startReader(t, c, ReaderConfig{Name: "right-0", Branch: "right"})
	if d := right.take(); d.Sequence != fence+1 {
		t.Errorf("first delivery: %+v", d)
	}
	part := startReader(t, c, ReaderConfig{Name: "right-1", Branch: "right", Partition: 1})
	if d := part.take(); !d.Ended {
		t.Errorf("the other partition's only delivery: %+v", d)
	}
	for _, r := range []*running{left, right, part} {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	}
}

// awaitAcked waits until the server knows that the frame was taken.
func awaitAcked(t *testing.T, c *Channel, name string, sequence uint64) {
	t.Helper()
	ctx := testContext(t)
	for {
		consumer, err := c.broker.JetStream().Consumer(ctx, c.name, name)
		if err != nil {
			t.Fatal(err)
		}
		info := consumer.CachedInfo()
		if info.AckFloor.Stream >= sequence {
			if info.AckFloor.Stream > sequence {
				t.Errorf("acknowledged up to %d, want %d", info.AckFloor.Stream, sequence)
			}
			return
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			t.Fatalf("acknowledged up to %d, want %d", info.AckFloor.Stream, sequence)
		}
	}
}

func TestReaderAcknowledgesOnlyWhatIsTaken(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	for range 20 {
		w.write(1)
	}
	r := startReader(t, c, ReaderConfig{})
	var taken []Delivery
	for range 10 {
		taken = append(taken, r.take())
	}
	r.Ack(taken[6])
	r.Ack(taken[3])
	awaitAcked(t, c, "worker-0", 7)
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

func TestReaderPeeksAheadWithinBounds(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	for range 100 {
		w.publish(w.encodeNext("", 1, 1000, nil))
	}
	delivered := func(name string) uint64 {
		consumer, err := c.broker.JetStream().Consumer(testContext(t), c.name, name)
		if err != nil {
			t.Fatal(err)
		}
		return consumer.CachedInfo().Delivered.Consumer
	}
	frames := startReader(t, c, ReaderConfig{Name: "frames", Prefetch: 8})
	bytes := startReader(t, c, ReaderConfig{Name: "bytes", Prefetch: 90, PrefetchBytes: 10_000})
	for i := range uint64(30) {
		frames.offsets(i, i+1)
		bytes.offsets(i, i+1)
		// One frame may wait in the channel of deliveries, and as many as fit in the queue.
		if n := delivered("frames"); n > i+1+1+8 {
			t.Fatalf("%d frames are fetched, %d taken", n, i+1)
		}
		if n := delivered("bytes"); n > i+1+1+10 {
			t.Fatalf("%d frames of 1 kB are fetched, %d taken", n, i+1)
		}
	}
	frames.offsets(30, 100)
	bytes.offsets(30, 100)
}

func TestReaderTakesFramesLargerThanItsLimit(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	for i := range 30 {
		size := 100
		if i%3 == 0 {
			size = 100_000
		}
		w.publish(w.encodeNext("", 1, size, nil))
	}
	r := startReader(t, c, ReaderConfig{PrefetchBytes: 20_000})
	r.offsets(0, 30)
	w.publish(w.encodeNext("", 1, 7_000_000, nil))
	r.offsets(30, 31)
}

func TestReaderSkipsFramesStoredTwice(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	for range 3 {
		data := w.encodeNext("", 2, 0, nil)
		w.publish(data)
		w.publish(data)
	}
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 6)
	w.write(1)
	r.offsets(6, 7)
}

func TestGap(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	for range 10 {
		w.write(3)
	}
	if err := c.Trim(testContext(t), 5); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Position{{Offset: 7}, {Offset: 7, Sequence: 8}, {Offset: 7, Sequence: 2}, {Offset: 7, Sequence: 99}} {
		err := startReader(t, c, ReaderConfig{Position: p}).refused(ErrGap, "5 messages are missing in stream fizzbuzz+generator", "7 to 11")
		var gap *GapError
		if !errors.As(err, &gap) || *gap != (GapError{Stream: "fizzbuzz+generator", Expected: 7, Found: 12, Sequence: 5}) {
			t.Errorf("%+v", gap)
		}
	}
}

func TestGapWhileReading(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]frame.Section{"messages": section("", 5, 2, 0), "next offset only": {Base: 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openChannel(t, embedded(t), spec())
			w := newWriter(t, c)
			r := startReader(t, c, ReaderConfig{})
			w.write(3)
			r.offsets(0, 3)
			w.bare(func(f *frame.Frame) { f.Sections = []frame.Section{next} })
			r.refused(ErrGap, "2 messages", "3 to 4")
		})
	}
}

func TestAheadAtTheStart(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	startReader(t, c, ReaderConfig{Position: Position{Offset: 1}}).refused(ErrAhead, "it is empty")
	w := newWriter(t, c)
	w.write(3)
	err := startReader(t, c, ReaderConfig{Position: Position{Offset: 5, Sequence: 2}}).refused(ErrAhead, "below offset 5", "at offset 3")
	var ahead *AheadError
	if !errors.As(err, &ahead) || *ahead != (AheadError{Stream: "fizzbuzz+generator", Expected: 5, Found: 3, Sequence: 1}) {
		t.Errorf("%+v", ahead)
	}
	w.bare(func(f *frame.Frame) { f.Kind, f.Sections = frame.KindFence, []frame.Section{{Base: 3}} })
	startReader(t, c, ReaderConfig{Position: Position{Offset: 5}}).refused(ErrAhead)
	// Others have overtaken the first message: what they were is lost, too.
	startReader(t, c, ReaderConfig{Position: Position{Offset: 0, End: 5}}).refused(ErrAhead, "below offset 5", "at offset 3")
}

func TestAheadWhileReading(t *testing.T) {
	t.Parallel()
	t.Run("of what was taken", func(t *testing.T) {
		t.Parallel()
		c := openChannel(t, embedded(t), spec())
		w := newWriter(t, c)
		r := startReader(t, c, ReaderConfig{})
		w.write(3)
		r.offsets(0, 3)
		w.bare(func(f *frame.Frame) { f.Kind, f.Sections = frame.KindFence, []frame.Section{{Base: 1}} })
		r.refused(ErrAhead, "below offset 3", "at offset 1")
	})
	t.Run("of where it began", func(t *testing.T) {
		t.Parallel()
		c := openChannel(t, embedded(t), spec())
		w := newWriter(t, c)
		w.publish(w.encodeNext("other", 1, 0, nil)) // says nothing about the main stream
		r := startReader(t, c, ReaderConfig{Position: Position{Offset: 3}})
		w.bare(func(f *frame.Frame) { f.Sections = []frame.Section{{Base: 1}} })
		r.refused(ErrAhead, "at offset 1")
	})
}

func TestRewrittenChannel(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	w := newWriter(t, c)
	for range 5 {
		w.write(1)
	}
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 5)
	// As after a power cut that took the end away, and a writer that went on: the sequences are there again.
	if err := c.Delete(testContext(t)); err != nil {
		t.Fatal(err)
	}
	other := newWriter(t, openChannel(t, b, spec()))
	other.commit = 100
	for range 8 {
		other.write(1)
	}
	err := <-r.result
	if !errors.Is(err, ErrAhead) && !errors.Is(err, ErrStreamLost) {
		t.Fatalf("the reader ended with %v", err)
	}
}

func TestReaderRefusesDamage(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	w.write(1)
	w.corrupt()
	w.write(1)
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 1)
	r.refused(ErrCorruptFrame, "fizzbuzz+generator", "sequence 2")
}

func TestReaderEnds(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	b := e.broker(t)
	c := openChannel(t, b, spec())
	e.Stop()
	r := c.Reader(ReaderConfig{Name: "worker-0"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		t.Errorf("cancelled while the server is away: %v", err)
	}
	if _, ok := <-r.Deliveries(); ok {
		t.Error("a delivery from nowhere")
	}
	r.Ack(Delivery{Sequence: 1})
	r.Ack(Delivery{Sequence: 2})
	b.Close()
	e.Again()
	if err := c.Reader(ReaderConfig{Name: "worker-0"}).Run(testContext(t)); err == nil {
		t.Error("a closed broker is no error")
	}
}

func TestPositionCheckIsTheReadersOwn(t *testing.T) {
	t.Parallel()
	// A consumer that somebody set up differently must not matter.
	c := openChannel(t, embedded(t), spec())
	_, err := c.mustStream(t).CreateConsumer(testContext(t), jetstream.ConsumerConfig{
		Durable: "worker-0", AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverNewPolicy, HeadersOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(t, c)
	w.write(4)
	startReader(t, c, ReaderConfig{Position: Position{Offset: 1}}).offsets(1, 4)
}
