package main

import (
	"context"
	"fmt"

	"penstock/engine"
)

// hopAims are how many times the hop by hand a pipeline should reach.
var hopAims = map[string]float64{"always": 15, "lazy": 30}

// fileAim is within twice the time of the file.
const fileAim = 0.5

// hopShare makes a hop of a pipeline last about as long as those by hand,
// seconds and not tenths: else its start would be a part of what is measured.
const hopShare = 4

func measureHops(ctx context.Context, b *bench) error {
	for _, s := range shapes {
		if err := hopContest(s).run(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func hopContest(s shape) contest {
	return contest{name: fmt.Sprintf("hop, %v", s), unit: "messages/s", sides: func(b *bench, sync syncMode) []*side {
		n := b.messages * hopShare
		if s.size > 512 {
			n /= 4
		}
		sides := b.byPeers(sync, hopByHand(s))
		aims := map[string]*aim{}
		if s == shapes[0] {
			aims = map[string]*aim{timesByHand: {AtLeast: hopAims[sync.name]}, ofTheFile: {AtLeast: fileAim}}
			sides = append(sides, &side{system: ours + ", 1 a call", guarantee: ourGuarantee, run: hopPipeline(s, 1), messages: n})
		}
		return append(sides, &side{system: fmt.Sprintf("%s, %d a call", ours, perCall), guarantee: ourGuarantee, messages: n,
			run: withFloor(hopPipeline(s, perCall), s.size), aims: aims})
	}}
}

// hopByHand is one sender and one receiver.
func hopByHand(s shape) builder {
	return func(p *program, n uint64) (func() error, error) {
		if err := p.topic("values"); err != nil {
			return nil, err
		}
		write, read := s.byHand()
		take := checker(p.peer.ordered, n)
		if err := p.relayer(reading("reader", n, read, take)); err != nil {
			return nil, err
		}
		return nil, p.sender(sending{topic: "values", n: n, make: write})
	}
}

// reading takes n messages of the topic "values".
func reading(name string, n uint64, read func([]byte) (uint64, error), take func(uint64) error) relaying {
	return relaying{name: name, from: "values", n: n, handle: func(data []byte) ([]byte, error) {
		i, err := read(data)
		if err != nil {
			return nil, err
		}
		return nil, take(i)
	}}
}

// hopPipeline is the same hop as a pipeline, whose sink keeps a state.
func hopPipeline(s shape, step int) sideFunc {
	return func(ctx context.Context, dir string, sync syncMode, n int) (outcome, error) {
		if s.json {
			o := newOrders(s.size)
			return hopOf(ctx, dir, sync, uint64(n), step, o.value, o.read)
		}
		r := newRaw(s.size)
		return hopOf(ctx, dir, sync, uint64(n), step, func(i uint64) []byte {
			r.number(i) // the value is written before the next is made
			return r.template
		}, r.read)
	}
}

func hopOf[T any](ctx context.Context, dir string, sync syncMode, n uint64, step int, make func(uint64) T, read func(T) (uint64, error)) (outcome, error) {
	w := &watch{}
	var last tally
	p := engine.New("hop")
	values := source(p, w, "values", n, step, make)
	engine.Sink(p, "count", values, func(_ context.Context, t *tally, m engine.Message[T]) error {
		i, err := read(m.Value)
		if err != nil {
			return engine.Fatal(err)
		}
		if i != t.Count {
			return engine.Fatal(errDamaged)
		}
		t.Count++
		t.Sum += i
		last = *t
		return nil
	})
	o, err := runPipeline(ctx, p, w, dir, sync)
	if err == nil {
		err = expect("messages at the sink", last.Count, n)
	}
	return o, err
}
