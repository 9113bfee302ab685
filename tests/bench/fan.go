package main

import (
	"context"
	"fmt"
	"sync"

	"penstock/engine"
)

// fanned is how many sources or sinks there are.
const fanned = 4

// fanIn is several sources with one sink, and fanOut one source whose messages
// several sinks get, each all of them.
var (
	fanIn = contest{name: fmt.Sprintf("fan-in, %d sources, 128 B", fanned), unit: "messages/s", sides: func(b *bench, sync syncMode) []*side {
		return fanSides(b, sync, fanInByHand, fanInPipeline)
	}}
	fanOut = contest{name: fmt.Sprintf("fan-out, %d sinks, 128 B", fanned), unit: "deliveries/s", times: fanned, sides: func(b *bench, sync syncMode) []*side {
		return fanSides(b, sync, fanOutByHand, fanOutPipeline)
	}}
)

func measureFans(ctx context.Context, b *bench) error {
	if err := fanIn.run(ctx, b); err != nil {
		return err
	}
	return fanOut.run(ctx, b)
}

func fanSides(b *bench, sync syncMode, build builder, run sideFunc) []*side {
	sides := append(b.byPeers(sync, build), &side{system: ours, guarantee: ourGuarantee, run: run, messages: b.messages})
	for _, s := range sides {
		s.messages = max(s.messages/fanned, 1) * fanned // so that the sources have the same share
	}
	return sides
}

func fanInByHand(p *program, n uint64) (func() error, error) {
	var mu sync.Mutex // the receiver has one state, whoever brings the message
	var got tally
	for k := range fanned {
		topic := fmt.Sprint("values-", k)
		if err := p.topic(topic); err != nil {
			return nil, err
		}
		write, read := shapes[0].byHand()
		take := checker(p.peer.ordered, n/fanned)
		err := p.relayer(relaying{name: "reader", from: topic, n: n / fanned, handle: func(data []byte) ([]byte, error) {
			i, err := read(data)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			got.Count++
			return nil, take(i)
		}})
		if err == nil {
			err = p.sender(sending{topic: topic, n: n / fanned, make: write})
		}
		if err != nil {
			return nil, err
		}
	}
	return func() error { return expect("messages of all sources", got.Count, n) }, nil
}

func fanOutByHand(p *program, n uint64) (func() error, error) {
	if err := p.topic("values"); err != nil {
		return nil, err
	}
	write, read := shapes[0].byHand()
	for k := range fanned {
		take := checker(p.peer.ordered, n)
		if err := p.relayer(reading(fmt.Sprint("reader-", k), n, read, take)); err != nil {
			return nil, err
		}
	}
	return nil, p.sender(sending{topic: "values", n: n, make: write})
}

func rawSource(p *engine.Pipeline, w *watch, name string, n uint64) (*engine.Stream[[]byte], raw) {
	r := newRaw(shapes[0].size)
	return source(p, w, name, n, perCall, func(i uint64) []byte {
		r.number(i)
		return r.template
	}), r
}

// counts is how far each source has come.
type counts struct{ Next [fanned]uint64 }

func fanInPipeline(ctx context.Context, dir string, sync syncMode, n int) (outcome, error) {
	w := &watch{}
	each := uint64(n / fanned)
	var last counts
	p := engine.New("fan-in")
	var inputs []engine.Part[counts, engine.None]
	for k := range fanned {
		values, r := rawSource(p, w, fmt.Sprint("values-", k), each)
		inputs = append(inputs, engine.On(values, func(_ context.Context, c *counts, m engine.Message[[]byte], _ engine.Emit[engine.None]) error {
			i, err := r.read(m.Value)
			if err != nil || i != c.Next[k] {
				return engine.Fatal(errDamaged)
			}
			c.Next[k]++
			last = *c
			return nil
		}))
	}
	engine.Stage(p, "count", inputs...)
	o, err := runPipeline(ctx, p, w, dir, sync)
	for k := range fanned {
		if err == nil {
			err = expect(fmt.Sprint("messages of source ", k), last.Next[k], each)
		}
	}
	return o, err
}

func fanOutPipeline(ctx context.Context, dir string, sync syncMode, n int) (outcome, error) {
	w := &watch{}
	var last [fanned]uint64
	p := engine.New("fan-out")
	values, r := rawSource(p, w, "values", uint64(n))
	for k := range fanned {
		engine.Sink(p, fmt.Sprint("count-", k), values, func(_ context.Context, t *tally, m engine.Message[[]byte]) error {
			i, err := r.read(m.Value)
			if err != nil || i != t.Count {
				return engine.Fatal(errDamaged)
			}
			t.Count++
			last[k] = t.Count
			return nil
		})
	}
	o, err := runPipeline(ctx, p, w, dir, sync)
	for k := range fanned {
		if err == nil {
			err = expect(fmt.Sprint("messages at sink ", k), last[k], uint64(n))
		}
	}
	return o, err
}
