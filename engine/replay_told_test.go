package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/supervise"
)

// A replayed dead letter says so, to a function of messages, of batches and of keys, by its message, by its delivery
// and by InfoOf; a first delivery says that it is none. The offset is the old one.
func TestAReplayIsToldApart(t *testing.T) {
	t.Parallel()
	const bad = 3
	reject := func(broken bool, value int) error {
		if broken && value == bad {
			return engine.Reject(errors.New("not yet"))
		}
		return nil
	}
	type told struct {
		Value  int
		Offset uint64
		Replay bool
	}
	for name, sink := range map[string]func(p *engine.Pipeline, in *engine.Stream[int], broken bool, take func(context.Context, engine.Message[int])){
		"messages": func(p *engine.Pipeline, in *engine.Stream[int], broken bool, take func(context.Context, engine.Message[int])) {
			engine.Sink(p, "sink", in, func(ctx context.Context, _ *struct{}, m engine.Message[int]) error {
				take(ctx, m)
				return reject(broken, m.Value)
			})
		},
		"batches": func(p *engine.Pipeline, in *engine.Stream[int], broken bool, take func(context.Context, engine.Message[int])) {
			engine.SinkBatch(p, "sink", in, func(ctx context.Context, _ *struct{}, batch []engine.Message[int]) error {
				var err error
				for _, m := range batch {
					err = errors.Join(err, reject(broken, m.Value))
				}
				for _, m := range batch {
					if err == nil || len(batch) == 1 {
						take(ctx, m)
					}
				}
				return err
			})
		},
		"keys": func(p *engine.Pipeline, in *engine.Stream[int], broken bool, take func(context.Context, engine.Message[int])) {
			keyed := engine.KeyBy(in, func(n int) string { return fmt.Sprint(n % 2) })
			engine.Sink(p.With(engine.AttemptDelay(supervise.Immediate())), "sink", keyed, func(ctx context.Context, _ *int, m engine.Message[int]) error {
				take(ctx, m)
				return reject(broken, m.Value)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			memory := enginetest.NewMemory()
			var got []told
			var requests []uint64
			round := func(broken bool) {
				got, requests = nil, nil
				p := engine.New("told")
				in := enginetest.Values(p, "in", 0, 1, 2, bad, 4)
				sink(p, in, broken, func(ctx context.Context, m engine.Message[int]) {
					d := m.Delivery()
					if d.Stream != "in" || d.Offset != m.Offset || d.Replay != m.Replay || engine.InfoOf(ctx).Replay != m.Replay {
						t.Errorf("%+v is delivered as %+v, and is at hand as replay %d", m, d, engine.InfoOf(ctx).Replay)
					}
					if m.Replay > 0 {
						if requests = append(requests, m.Replay); d.Settled != 5 {
							t.Errorf("%+v, while all 5 are settled", d)
						}
					}
					got = append(got, told{m.Value, m.Offset, m.Replay > 0})
				})
				enginetest.Run(t, p, memory.In)
			}
			round(true)
			for _, m := range got { // some come twice
				if m.Offset != uint64(m.Value) || m.Replay {
					t.Fatalf("first deliveries: %+v", got)
				}
			}
			last := uint64(0)
			for range 2 { // it is rejected again, and is another replay then
				if err := memory.Replay("sink.0:in.0:3", nil); err != nil {
					t.Fatal(err)
				}
				round(last == 0)
				if want := []told{{bad, 3, true}}; !slices.Equal(got, want) || requests[0] <= last {
					t.Errorf("replayed: %+v by %v, want %+v", got, requests, want)
				}
				last = requests[0]
			}
			if left := memory.DeadLetters(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}
