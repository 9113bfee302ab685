package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"penstock/dlq"
	"penstock/engine"
)

// byKey is what a sink in partitions saw of each key, in order. Its instances call it at the same time.
type byKey struct {
	mu   sync.Mutex
	seen map[string][]string
	all  int
}

func (b *byKey) add(key, value string) (all int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[key] = append(b.seen[key], value)
	b.all++
	return b.all
}

// wide is a pipeline whose stages have partitions. A stage that is stopped in the middle has told its sink nothing twice,
// since it stops in order.
func wide(into *byKey, stop func(), counts, sinks int) *engine.Pipeline {
	const n, keys = 3000, 37
	little := engine.Capacity{Messages: 100} // the sources have not ended when the sink stops the run
	p := engine.New("wide")
	key := func(v uint64) string { return fmt.Sprintf("%02d", v%keys) }
	odd := engine.Source(p, "odd", count(n, 7)).WithCapacity(little)
	even := engine.Source(p, "even", count(n, 3)).WithCapacity(little)
	handle := func(ctx context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[string]) error {
		if m.Value%500 == 499 {
			return errors.New("on purpose")
		}
		*sum += m.Value
		emit(fmt.Sprintf("%s+%d", m.Key, m.Value))
		return nil
	}
	sums := engine.Stage(p.With(engine.Attempts(1), engine.KeysInMemory(5)), "sums",
		engine.On(engine.KeyBy(odd, key), handle), engine.On(engine.KeyBy(even, key), handle),
		engine.Hooks[uint64, string]{End: func(ctx context.Context, sum *uint64, emit engine.Emit[string]) error {
			emit(fmt.Sprintf("%s=%d", engine.CurrentKey(ctx), *sum))
			return nil
		}})
	engine.Sink(p, "sink", engine.KeyBy(sums.WithCapacity(little), func(s string) string { return s[:2] }), func(_ context.Context, count *int, m engine.Message[string]) error {
		*count++
		if into.add(m.Key, m.Value[2:]) == 1000 {
			stop()
		}
		return nil
	})
	p.SetPartitions("sums", counts)
	p.SetPartitions("sink", sinks)
	return p
}

// Whatever the number of partitions: of each key the same comes out, each input in its order, and the same becomes a dead
// letter, also when the pipeline stops in the middle and goes on.
func TestPartitionsGiveTheSameResults(t *testing.T) {
	t.Parallel()
	type result struct {
		seen    map[string][]string
		letters []string
		states  map[string]uint64
	}
	run := func(t *testing.T, counts, sinks int, url string) result {
		config := testConfig(t, t.TempDir())
		config.NATS.URL = url
		into := &byKey{seen: map[string][]string{}}
		var letters []string
		config.OnDeadLetter = func(l dlq.Letter) {
			into.mu.Lock()
			defer into.mu.Unlock()
			letters = append(letters, fmt.Sprintf("%s of %s", l.Key, l.Input))
		}
		ctx, stop := bounded(t)
		defer stop()
		if err := wide(into, stop, counts, sinks).Run(ctx, config); err != nil {
			t.Fatal(err)
		}
		p := wide(into, func() {}, counts, sinks)
		if err := runBounded(t, p, config); err != nil {
			t.Fatal(err)
		}
		if status := p.Status(); !status.Completed {
			t.Fatalf("it ended and is not complete: %+v", status)
		}
		slices.Sort(letters)
		for key, values := range into.seen {
			if last := values[len(values)-1]; last[0] != '=' {
				t.Errorf("the last message of key %s is %s", key, last)
			}
			inOrder(t, key, values)
			slices.Sort(values) // the two inputs come in any order
		}
		r := result{into.seen, letters, nil}
		if url == "" {
			r.states = committedState[uint64](t, config.Dir, "sums")
		}
		return r
	}
	want := run(t, 1, 1, "")
	if len(want.letters) != 12 || len(want.states) != 37 {
		t.Fatalf("%d dead letters: %v; %d states", len(want.letters), want.letters, len(want.states))
	}
	server, _ := external(t)
	for _, c := range []struct {
		counts, sinks int
		url           string
	}{{2, 1, ""}, {3, 2, ""}, {1, 3, ""}, {8, 8, ""}, {3, 2, server.ClientURL()}} {
		t.Run(fmt.Sprintf("%d and %d %s", c.counts, c.sinks, c.url), func(t *testing.T) {
			t.Parallel()
			got := run(t, c.counts, c.sinks, c.url)
			if !maps.EqualFunc(got.seen, want.seen, slices.Equal) {
				t.Errorf("got\n%v\nwant\n%v", got.seen, want.seen)
			}
			if !slices.Equal(got.letters, want.letters) {
				t.Errorf("dead letters\n%v\nwant\n%v", got.letters, want.letters)
			}
			if c.url == "" && !maps.Equal(got.states, want.states) {
				t.Errorf("states\n%v\nwant\n%v", got.states, want.states)
			}
		})
	}
}

// inOrder finds what came before something of the same input that is smaller: each value comes twice.
func inOrder(t *testing.T, key string, values []string) {
	t.Helper()
	seen := map[string]int{}
	most := [3]string{}
	for _, v := range values {
		if v[0] != '+' {
			continue
		}
		seen[v]++
		padded := fmt.Sprintf("%8s", v)
		if nth := seen[v]; nth > 2 || padded < most[nth] {
			t.Fatalf("key %s: %s comes the %d. time, and behind %s", key, v, nth, most[nth])
		} else {
			most[nth] = padded
		}
	}
}
