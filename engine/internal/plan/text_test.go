package plan

import "testing"

// Plans that are made of other parts have another hash; names of functions are not in it.
func TestPlansAreComparedByTheirParts(t *testing.T) {
	shop := func(change func(p *Pipeline, worker *Stage)) *Pipeline {
		p := New("shop")
		name := func() string { return "cbor" }
		source := &Stage{Pipeline: p, Group: p.Root, Name: "orders", Kind: KindSource, StateCodec: name}
		source.Output = &Stream{Pipeline: p, Owner: source, TypeName: "Order", CodecName: name}
		worker := &Stage{Pipeline: p, Group: p.Root, Name: "worker", Kind: KindSink, StateCodec: name}
		worker.Inputs = []*Input{{Stage: worker, Stream: source.Output}}
		p.Stages = []*Stage{source, worker}
		change(p, worker)
		return p
	}
	same := shop(func(*Pipeline, *Stage) {})
	if want := "pipeline shop\n" +
		"stage orders in \"\": source, state cbor\n" +
		"stream orders: Order as cbor\n" +
		"stage worker in \"\": sink, state cbor, reads orders\n"; same.Text() != want {
		t.Errorf("text\n%s\nwant\n%s", same.Text(), want)
	}
	if a, b := same.Hash(), shop(func(*Pipeline, *Stage) {}).Hash(); a != b {
		t.Errorf("the same plan has the hashes %s and %s", a, b)
	}
	for what, change := range map[string]func(p *Pipeline, worker *Stage){
		"another name":  func(p *Pipeline, _ *Stage) { p.Name = "store" },
		"another codec": func(_ *Pipeline, w *Stage) { w.StateCodec = func() string { return "json" } },
		"by key":        func(_ *Pipeline, w *Stage) { w.Inputs[0].Key = func([]byte) (string, error) { return "", nil } },
		"partitions":    func(_ *Pipeline, w *Stage) { w.Options.Partitions = 2 },
		"a timer":       func(_ *Pipeline, w *Stage) { w.Timers = []Timer{{Every: 1}} },
		"one less":      func(p *Pipeline, _ *Stage) { p.Stages = p.Stages[:1] },
	} {
		if shop(change).Hash() == same.Hash() {
			t.Errorf("%s: the hash is the same", what)
		}
	}
}
