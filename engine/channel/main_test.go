package channel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/engine/broker"
	"penstock/engine/frame"
	"penstock/internal/testing/leak"
	"penstock/internal/testing/natsserver"
	"penstock/tests/loopback"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

func TestMain(m *testing.M) { leak.Main(m) }

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// embedded is a broker whose server need not sync: the tests kill no machine.
func embedded(t testing.TB) *broker.Broker {
	t.Helper()
	return connect(t, broker.Config{Dir: t.TempDir(), Sync: time.Minute})
}

func connect(t testing.TB, cfg broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Open(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// external is a server outside the process's broker, which keeps its port when it is started again.
type external struct{ *natsserver.Server }

func startExternal(t *testing.T) external {
	return external{natsserver.Start(t, func(o *server.Options) { o.Port = loopback.ForTest(t) })}
}

func (e external) broker(t *testing.T) *broker.Broker {
	return connect(t, broker.Config{URL: e.ClientURL()})
}

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) count(part string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), part)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func spec() Spec { return Spec{Pipeline: "fizzbuzz", Stage: "generator", Identity: "id-1"} }

func openChannel(t testing.TB, b *broker.Broker, s Spec) *Channel {
	t.Helper()
	c, err := Open(testContext(t), b, s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// writer commits frames whose messages are their own offsets.
type writer struct {
	t      testing.TB
	c      *Channel
	last   uint64            // sequence
	commit uint64            // number
	next   map[string]uint64 // offset by branch
}

func newWriter(t testing.TB, c *Channel) *writer {
	return &writer{t: t, c: c, next: map[string]uint64{}}
}

func section(branch string, base uint64, n int, size int) frame.Section {
	s := frame.Section{Branch: branch, Base: base}
	for i := range n {
		value := make([]byte, max(size, 8))
		binary.BigEndian.PutUint64(value, base+uint64(i))
		s.Append(frame.Message{Time: 1, Value: value})
	}
	return s
}

func encode(t testing.TB, f *frame.Frame) []byte {
	t.Helper()
	data, err := frame.Append(nil, f, frame.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// encodeNext makes the frame with n more messages for the branch.
func (w *writer) encodeNext(branch string, n, size int, change func(*frame.Frame)) []byte {
	w.commit++
	f := &frame.Frame{Epoch: 1, Commit: w.commit, Sections: []frame.Section{section(branch, w.next[branch], n, size)}}
	w.next[branch] += uint64(n)
	if change != nil {
		change(f)
	}
	return encode(w.t, f)
}

func (w *writer) publish(data []byte) uint64 {
	w.t.Helper()
	sequence, err := w.c.Publish(data, w.last, Trace{}).Result()
	if err != nil {
		w.t.Fatal(err)
	}
	w.last = sequence
	return sequence
}

func (w *writer) write(n int) uint64 { w.t.Helper(); return w.publish(w.encodeNext("", n, 0, nil)) }

// bare publishes a frame without any section for the main stream.
func (w *writer) bare(change func(*frame.Frame)) uint64 {
	w.t.Helper()
	w.commit++
	f := &frame.Frame{Epoch: 1, Commit: w.commit}
	change(f)
	return w.publish(encode(w.t, f))
}

// insist publishes like the engine: what is unknown is looked up, and sent again if it is not there.
func (w *writer) insist(ctx context.Context, data []byte) error {
	for {
		sequence, err := w.c.Publish(data, w.last, Trace{}).Result()
		if err == nil {
			w.last = sequence
			return nil
		}
		if !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrConflict) {
			return err
		}
		rec, found, err := w.c.Last(ctx)
		if err != nil {
			return err
		}
		if found && rec.Frame.Commit == w.commit {
			w.last = rec.Sequence
			return nil
		}
	}
}

// running is a Reader at work.
type running struct {
	*Reader
	t      *testing.T
	cancel context.CancelFunc
	result chan error
}

func startReader(t *testing.T, c *Channel, cfg ReaderConfig) *running {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "worker-0"
	}
	ctx, cancel := context.WithCancel(testContext(t))
	r := &running{Reader: c.Reader(cfg), t: t, cancel: cancel, result: make(chan error, 1)}
	go func() { r.result <- r.Run(ctx) }()
	t.Cleanup(cancel)
	return r
}

func (r *running) take() Delivery {
	r.t.Helper()
	select {
	case d, ok := <-r.Deliveries():
		if !ok {
			r.t.Fatalf("the reader ended: %v", <-r.result)
		}
		return d
	case <-time.After(40 * time.Second):
		r.t.Fatal("no delivery")
	}
	panic("unreachable")
}

// offsets takes deliveries until offset end was seen, and checks that they come once and in order from begin on.
func (r *running) offsets(begin, end uint64) (last Delivery) {
	r.t.Helper()
	for next := begin; next < end; {
		d := r.take()
		it := d.Section.Messages()
		it.Skip(d.Skip)
		for m, ok := it.Next(); ok; m, ok = it.Next() {
			if got := binary.BigEndian.Uint64(m.Value); got != next {
				r.t.Fatalf("offset %d, want %d", got, next)
			}
			next++
		}
		r.Ack(d)
		last = d
	}
	return last
}

// stop ends the reader and returns what Run returned.
func (r *running) stop() error {
	r.cancel()
	for range r.Deliveries() {
	}
	return <-r.result
}

// refused waits until the reader gives up.
func (r *running) refused(is error, parts ...string) error {
	r.t.Helper()
	select {
	case err := <-r.result:
		wantError(r.t, err, is, parts...)
		return err
	case <-time.After(40 * time.Second):
		r.t.Fatalf("the reader goes on, want %v", is)
		return nil
	}
}

func wantError(t testing.TB, err error, is error, parts ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Fatalf("error is %v, want %v", err, is)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in %q", part, err)
		}
	}
}

func (c *Channel) mustStream(t testing.TB) jetstream.Stream {
	t.Helper()
	s, err := c.broker.JetStream().Stream(testContext(t), c.name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
