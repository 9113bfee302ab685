package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"penstock/engine"
)

func ignore[S, T any](context.Context, *S, engine.Message[T]) error { return nil }

func pass[T any](_ context.Context, _ *struct{}, m engine.Message[T], emit engine.Emit[T]) error {
	emit(m.Value)
	return nil
}

func TestWiringMistakesAreReportedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wire func(p *engine.Pipeline)
		want string
	}{
		"no stages": {func(*engine.Pipeline) {}, `pipeline "wiring" has no stages`},
		"two of one name": {func(p *engine.Pipeline) {
			a := engine.Source(p, "same", count(1, 1))
			engine.Sink(p, "same", a, ignore[struct{}, uint64])
		}, `two stages are named "same"`},
		"bad name": {func(p *engine.Pipeline) {
			engine.Sink(p, "a.b", engine.Source(p, "a", count(1, 1)), ignore[struct{}, uint64])
		}, `stage name "a.b"`},
		"has no reader": {func(p *engine.Pipeline) { engine.Source(p, "lonely", count(1, 1)) }, "the stream lonely has no reader"},
		"branch without stage": {func(p *engine.Pipeline) {
			b := engine.Branch[string](p, "loose")
			engine.Sink(p, "sink", &b.Stream, ignore[struct{}, string])
			engine.Sink(p, "s", engine.Source(p, "a", count(1, 1)), ignore[struct{}, uint64])
		}, `branch "loose" belongs to no stage`},
		"branch of two stages": {func(p *engine.Pipeline) {
			b := engine.Branch[uint64](p, "b")
			engine.Discard(&b.Stream)
			a := engine.Source(p.With(engine.Branches(b)), "a", count(1, 1))
			engine.Discard(engine.Stage(p.With(engine.Branches(b)), "c", engine.On(a, pass[uint64])))
		}, `branch "b" is given to the stages "a" and "c"`},
		"cycle": {func(p *engine.Pipeline) {
			back := engine.Branch[uint64](p, "back")
			first := engine.Stage(p, "first", engine.On(&back.Stream, pass[uint64]))
			engine.Discard(engine.Stage(p.With(engine.Branches(back)), "second", engine.On(first, pass[uint64])))
		}, "the stages form a cycle"},
		"no input": {func(p *engine.Pipeline) { engine.Discard(engine.Stage[struct{}, uint64](p, "idle")) }, `stage "idle" reads no stream`},
		"read twice": {func(p *engine.Pipeline) {
			a := engine.Source(p, "a", count(1, 1))
			engine.Discard(engine.Stage(p, "twice", engine.On(a, pass[uint64]), engine.On(a, pass[uint64])))
		}, `stage "twice" reads the stream a twice`},
		"keyed and not": {func(p *engine.Pipeline) {
			a, b := engine.Source(p, "a", count(1, 1)), engine.Source(p, "b", count(1, 1))
			key := func(uint64) string { return "" }
			engine.Discard(engine.Stage(p, "half", engine.On(engine.KeyBy(a, key), pass[uint64]), engine.On(b, pass[uint64])))
		}, `stage "half" reads 1 of 2 streams by key`},
		"timer of a keyed stage": {func(p *engine.Pipeline) {
			a := engine.Source(p, "a", count(1, 1))
			engine.Discard(engine.Stage(p, "ticks", engine.On(engine.KeyBy(a, func(uint64) string { return "" }), pass[uint64]),
				engine.Every(time.Second, func(context.Context, *struct{}, time.Time, engine.Emit[uint64]) error { return nil })))
		}, `stage "ticks" is keyed and has an engine.Every timer`},
		"partitions of a source": {func(p *engine.Pipeline) {
			engine.Discard(engine.Source(p.With(engine.Partitions(2)), "a", count(1, 1)))
		}, `source "a" has 2 partitions`},
		"partitions of one state": {func(p *engine.Pipeline) {
			engine.Sink(p.With(engine.Partitions(2)), "sum", engine.Source(p, "a", count(1, 1)), ignore[int, uint64])
		}, `stage "sum" has 2 partitions and one state`},
		"partitions of a timer": {func(p *engine.Pipeline) {
			a := engine.Source(p, "a", count(1, 1))
			engine.Discard(engine.Stage(p.With(engine.Partitions(2)), "ticks", engine.On(a, pass[uint64]),
				engine.Every(time.Second, func(context.Context, *struct{}, time.Time, engine.Emit[uint64]) error { return nil })))
		}, `stage "ticks" has 2 partitions and an engine.Every timer`},
		"too many partitions": {func(p *engine.Pipeline) {
			engine.Sink(p.With(engine.Partitions(1025)), "sink", engine.Source(p, "a", count(1, 1)), ignore[struct{}, uint64])
		}, `stage "sink" has 1025 partitions: it can have 1 to 1024`},
		"partitions of nothing": {func(p *engine.Pipeline) {
			engine.Discard(engine.Source(p, "a", count(1, 1)))
			p.SetPartitions("b", 2)
		}, `there is no stage "b" to run in 2 partitions: the stages are a`},
		"timer without interval": {func(p *engine.Pipeline) {
			a := engine.Source(p, "a", count(1, 1))
			engine.Discard(engine.Stage(p, "ticks", engine.On(a, pass[uint64]),
				engine.Every(0, func(context.Context, *struct{}, time.Time, engine.Emit[uint64]) error { return nil })))
		}, "the interval must be positive"},
		"state that JSON loses": {func(p *engine.Pipeline) {
			type hidden struct {
				count int //lint:ignore U1000 that is the mistake
			}
			engine.Sink(p, "sink", engine.Source(p, "a", count(1, 1)), ignore[hidden, uint64])
		}, "field count of engine_test.hidden is not exported"},
		"state without JSON": {func(p *engine.Pipeline) {
			engine.Sink(p, "sink", engine.Source(p, "a", count(1, 1)), ignore[struct{ C chan int }, uint64])
		}, "chan int has no CBOR form"},
		"stream of another pipeline": {func(p *engine.Pipeline) {
			other := engine.New("other")
			engine.Sink(p, "sink", engine.Source(other, "a", count(1, 1)), ignore[struct{}, uint64])
		}, "of another pipeline"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("wiring")
			c.wire(p)
			err := runBounded(t, p, testConfig(t, t.TempDir()))
			if !errors.Is(err, engine.ErrWiring) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want %q", err, c.want)
			}
		})
	}
	if err := engine.New("a b").Check(); !errors.Is(err, engine.ErrWiring) || !strings.Contains(err.Error(), `pipeline name "a b"`) {
		t.Errorf("a bad pipeline name gives %v", err)
	}
}
