package engine_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

func TestGraph(t *testing.T) {
	t.Parallel()
	p := engine.New("graph")
	numbers := engine.Source(p, "numbers", count(1, 1)).WithCapacity(engine.Capacity{Messages: 64, Bytes: 1 << 20})
	back := p.Group("back", engine.Group{Strategy: supervise.RestForOne})
	inner := back.Group("inner", engine.Group{})
	odd := engine.Branch[string](p, "odd")
	keyed := engine.Stage(inner.With(engine.Branches(odd)), "worker", engine.On(engine.KeyBy(numbers, func(uint64) string { return "" }),
		func(context.Context, *int, engine.Message[uint64], engine.Emit[json.Number]) error { return nil }))
	engine.Discard(keyed)
	engine.Sink(p, "sink", &odd.Stream, ignore[struct{}, string])
	want := observe.Graph{
		Pipeline: "graph",
		Groups:   []observe.GraphGroup{{Name: "back", Strategy: "rest_for_one"}, {Name: "inner", Group: "back", Strategy: "one_for_one"}},
		Stages: []observe.GraphStage{
			{Name: "numbers", Kind: observe.KindSource},
			{Name: "worker", Kind: observe.KindProcessor, Group: "back/inner", Keyed: true},
			{Name: "sink", Kind: observe.KindSink},
		},
		Channels: []observe.GraphChannel{
			{Stream: "numbers", Writer: "numbers", Reader: "worker", Type: "uint64", CapacityMessages: 64, CapacityBytes: 1 << 20},
			{Stream: "worker", Writer: "worker", Reader: "", Type: "json.Number", CapacityMessages: 1_000_000, CapacityBytes: 256 << 20},
			{Stream: "worker/odd", Writer: "worker", Reader: "sink", Type: "string", CapacityMessages: 1_000_000, CapacityBytes: 256 << 20},
		},
	}
	got := p.Graph()
	if got.Hash == "" || got.Hash != p.Graph().Hash {
		t.Errorf("the hash is %q, and then %q", got.Hash, p.Graph().Hash)
	}
	want.Hash = got.Hash
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
