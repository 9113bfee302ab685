package engine_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"penstock/engine"
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
	want := engine.Graph{
		Pipeline: "graph",
		Groups:   []engine.GraphGroup{{"back", "", "rest_for_one"}, {"inner", "back", "one_for_one"}},
		Stages: []engine.GraphStage{
			{"numbers", engine.KindSource, "", false}, {"worker", engine.KindProcessor, "back/inner", true}, {"sink", engine.KindSink, "", false},
		},
		Channels: []engine.GraphChannel{
			{"numbers", "numbers", "worker", "uint64", 64, 1 << 20},
			{"worker", "worker", "", "json.Number", 1_000_000, 256 << 20},
			{"worker/odd", "worker", "sink", "string", 1_000_000, 256 << 20},
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
