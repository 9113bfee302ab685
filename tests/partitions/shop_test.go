package partitions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
)

// order is a value of the source: the n-th of all. Each key has every keys-th.
type order struct{ N, Of uint64 }

func (o order) key() string { return fmt.Sprintf("key-%d", o.N%o.Of) }

// counted is what the tally tells of a key after an order.
type counted struct {
	Key   string
	Count uint64
	ID    string // of the order, as the tally had it
	Place string // its stream and offset
}

// received is what the sink has of a key. The counts of a key must come as 1, 2, 3 …
type received struct{ Count, Broken uint64 }

type place struct{ Next uint64 }

// shop is a pipeline whose stages have partitions: the source, a stage without state, a keyed one, and a keyed sink.
type shop struct {
	orders, keys  uint64
	mark, tally   int // partitions
	sink          int
	attempts      int    // of each order; 0: 1
	poison, fixed bool   // some orders fail, or do no more
	stopAt        uint64 // the run is stopped when the sink has seen so many orders; 0: never
	pauseAt       uint64 // the source emits no more than so many; 0: all
	told          func(counted)
}

// isPoison says that the tally fails at an order.
func isPoison(n uint64) bool { return n%97 == 5 }

var errPoison = errors.New("on purpose")

func (s shop) pipeline(stop func()) *engine.Pipeline {
	p := engine.New("shop")
	little := engine.Capacity{Messages: s.capacity()} // less than a run handles
	orders := engine.Source(p, "orders", s.emit).WithCapacity(little)
	marked := engine.Stage(p, "mark", engine.On(orders, func(_ context.Context, _ *struct{}, m engine.Message[order], emit engine.Emit[order]) error {
		emit(m.Value)
		return nil
	})).WithCapacity(little)
	counts := engine.Stage(p.With(engine.Attempts(max(s.attempts, 1)), engine.KeysInMemory(50), enginetest.FastRestarts()), "tally",
		engine.On(engine.KeyBy(marked, order.key), func(_ context.Context, count *uint64, m engine.Message[order], emit engine.Emit[counted]) error {
			if s.poison && !s.fixed && isPoison(m.Value.N) {
				return errPoison
			}
			*count++
			d := m.Delivery()
			emit(counted{m.Key, *count, m.ID(), fmt.Sprint(d.Stream, ":", d.Offset)})
			return nil
		})).WithCapacity(little)
	var seen atomic.Uint64
	engine.Sink(p, "sink", engine.KeyBy(counts, func(c counted) string { return c.Key }), func(_ context.Context, r *received, m engine.Message[counted]) error {
		if r.Count++; r.Count != m.Value.Count {
			r.Broken++
		}
		if s.told != nil {
			s.told(m.Value)
		}
		if seen.Add(1) == s.stopAt {
			stop()
		}
		return nil
	})
	p.SetPartitions("mark", max(s.mark, 1))
	p.SetPartitions("tally", max(s.tally, 1))
	p.SetPartitions("sink", max(s.sink, 1))
	return p
}

func (s shop) capacity() uint64 {
	if s.keys > 1000 {
		return 100_000
	}
	return 100
}

func (s shop) emit(ctx context.Context, at *place, emit engine.Emit[order]) error {
	if s.pauseAt > 0 && at.Next >= s.pauseAt {
		<-ctx.Done()
		return ctx.Err()
	}
	for range 7 {
		if at.Next == s.orders {
			return io.EOF
		}
		emit(order{at.Next, s.keys})
		at.Next++
	}
	return nil
}

// run runs the pipeline until it is stopped or ends.
func (s shop) run(t *testing.T, config engine.Config) (*engine.Pipeline, error) {
	t.Helper()
	ctx, stop := patient.Bounded(t)
	defer stop()
	p := s.pipeline(stop)
	return p, p.Run(ctx, config)
}

func (s shop) mustRun(t *testing.T, config engine.Config) *engine.Pipeline {
	t.Helper()
	p, err := s.run(t, config)
	if err != nil {
		t.Fatalf("in %d, %d and %d partitions: %v", s.mark, s.tally, s.sink, err)
	}
	return p
}

func (s shop) mustComplete(t *testing.T, config engine.Config) {
	t.Helper()
	if status := s.mustRun(t, config).Status(); !status.Completed {
		t.Fatalf("it ended and is not complete: %+v", status)
	}
}

// check compares the states with what must be there: of each key all orders but those that became dead letters.
func (s shop) check(t *testing.T, config engine.Config) {
	t.Helper()
	want := map[string]uint64{}
	for n := range s.orders {
		if !s.poison || s.fixed || !isPoison(n) {
			want[order{n, s.keys}.key()]++
		}
	}
	inspector, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := inspector.Close(); err != nil {
			t.Error(err)
		}
	}()
	counts, sinks := states[uint64](t, inspector, "tally"), states[received](t, inspector, "sink")
	if len(counts) != len(want) || len(sinks) != len(want) {
		t.Errorf("%d states of tally and %d of sink, want %d", len(counts), len(sinks), len(want))
	}
	one := order{0, s.keys}.key()
	if found, err := inspector.StateOf(t.Context(), "tally", one); err != nil || string(found) != fmt.Sprint(want[one]) {
		t.Errorf("asked for %s alone: %s, %v, want %d", one, found, err, want[one])
	}
	wrong := 0
	for key, n := range want {
		if got := sinks[key]; counts[key] != n || got != (received{Count: n}) {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: tally %d, sink %+v, want %d", key, counts[key], got, n)
			}
		}
	}
	if wrong > 5 {
		t.Errorf("and %d more keys", wrong-5)
	}
}

func states[S any](t *testing.T, inspector *inspect.Inspector, stage string) map[string]S {
	t.Helper()
	all := map[string]S{}
	err := inspector.State(t.Context(), stage, func(key string, data json.RawMessage) error {
		if _, twice := all[key]; twice {
			t.Errorf("stage %s has two states of %s", stage, key)
		}
		var state S
		if err := json.Unmarshal(data, &state); err != nil {
			return err
		}
		all[key] = state
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
