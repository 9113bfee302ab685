package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"

	"penstock/engine"
)

// word is what the worker makes of a number.
func word(i uint64) string {
	switch {
	case i%15 == 0:
		return "FizzBuzz"
	case i%5 == 0:
		return "Buzz"
	case i%3 == 0:
		return "Fizz"
	}
	return strconv.FormatUint(i, 10)
}

// words is what the logger counts.
type words struct{ Fizz, Buzz, FizzBuzz, Number uint64 }

func (w *words) count(word string) {
	switch word {
	case "Fizz":
		w.Fizz++
	case "Buzz":
		w.Buzz++
	case "FizzBuzz":
		w.FizzBuzz++
	default:
		w.Number++
	}
}

// wordsOf is what the words of the numbers below n count to.
func wordsOf(n uint64) words {
	upTo := func(m uint64) uint64 { return (n + m - 1) / m } // multiples of m, 0 among them
	w := words{FizzBuzz: upTo(15)}
	w.Fizz, w.Buzz = upTo(3)-w.FizzBuzz, upTo(5)-w.FizzBuzz
	w.Number = n - w.Fizz - w.Buzz - w.FizzBuzz
	return w
}

// chainContest is a generator, a worker with a counter that makes words of
// numbers, and a logger that counts the kinds of words.
var chainContest = contest{name: "generator, worker, logger", unit: "messages/s", sides: func(b *bench, sync syncMode) []*side {
	sides := b.byPeers(sync, chainByHand)
	for _, s := range sides {
		s.guarantee += " (its counters are lost)"
	}
	return append(sides, &side{system: ours, guarantee: ourGuarantee, run: chainPipeline, messages: b.messages})
}}

func chainByHand(p *program, n uint64) (func() error, error) {
	for _, topic := range []string{"numbers", "words"} {
		if err := p.topic(topic); err != nil {
			return nil, err
		}
	}
	var worked, seen uint64
	var logged words
	numbers, plain := checker(p.peer.ordered, n), newOnce(n)
	err := p.relayer(relaying{name: "logger", from: "words", n: n, handle: func(data []byte) ([]byte, error) {
		logged.count(string(data))
		if p.peer.ordered {
			if seen++; string(data) != word(seen-1) {
				return nil, errDamaged
			}
		} else if i, err := strconv.ParseUint(string(data), 10, 64); err == nil {
			return nil, plain.take(i)
		}
		return nil, nil
	}})
	if err != nil {
		return nil, err
	}
	err = p.relayer(relaying{name: "worker", from: "numbers", to: "words", n: n, handle: func(data []byte) ([]byte, error) {
		if len(data) != 8 {
			return nil, errDamaged
		}
		worked++
		i := binary.LittleEndian.Uint64(data)
		return []byte(word(i)), numbers(i)
	}})
	if err != nil {
		return nil, err
	}
	return func() error { return checkChain(worked, logged, n) }, p.sender(sending{topic: "numbers", n: n, make: numberBytes})
}

func numberBytes(i uint64) ([]byte, error) { return binary.LittleEndian.AppendUint64(nil, i), nil }

func checkChain(worked uint64, logged words, n uint64) error {
	if want := wordsOf(n); worked != n || logged != want {
		return fmt.Errorf("%w: the worker has %d and the logger %+v, not %d and %+v", errDamaged, worked, logged, n, want)
	}
	return nil
}

func chainPipeline(ctx context.Context, dir string, sync syncMode, n int) (outcome, error) {
	w := &watch{}
	var worked uint64
	var logged words
	p := engine.New("chain")
	numbers := source(p, w, "generator", uint64(n), perCall, func(i uint64) uint64 { return i })
	made := engine.Stage(p, "worker", engine.On(numbers,
		func(_ context.Context, t *tally, m engine.Message[uint64], emit engine.Emit[string]) error {
			if m.Value != t.Count {
				return engine.Fatal(errDamaged)
			}
			t.Count++
			worked = t.Count
			emit(word(m.Value))
			return nil
		}))
	engine.Sink(p, "logger", made, func(_ context.Context, t *words, m engine.Message[string]) error {
		if m.Value != word(m.Offset) {
			return engine.Fatal(errDamaged)
		}
		t.count(m.Value)
		logged = *t
		return nil
	})
	o, err := runPipeline(ctx, p, w, dir, sync)
	if err == nil {
		err = checkChain(worked, logged, uint64(n))
	}
	return o, err
}
