package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"penstock/engine"
)

const (
	// warmup is how long messages are sent before they are measured.
	warmup = time.Second

	// behind is how late a message may be before it is clear that the side does
	// not keep up, and that waiting longer would only measure how long it was.
	behind = 2 * time.Second

	latencyAim  = 5 // milliseconds, p99 with sync always at latencyRate
	latencyRate = 10_000
)

// latencySides are who passes messages on at a steady rate.
var latencySides = []struct {
	system, guarantee string
	run               func(ctx context.Context, dir string, sync syncMode, l *latencies) error
}{
	{byHand.system, byHand.guarantee, latencyByHand(byHand)},
	{windowed.system, windowed.guarantee, latencyByHand(windowed)},
	{ours, ourGuarantee, latencyOfPipeline},
}

func measureLatencies(ctx context.Context, b *bench) error {
	for _, rate := range b.rates {
		for _, sync := range syncModes {
			if err := b.latenciesAt(ctx, rate, sync); err != nil {
				return fmt.Errorf("%d/s, sync %s: %w", rate, sync.name, err)
			}
		}
	}
	return nil
}

// latenciesAt measures all sides at one rate, in turn. A side that did not keep
// up once has lost.
func (b *bench) latenciesAt(ctx context.Context, rate int, sync syncMode) error {
	rounds := make([][]*latencies, len(latencySides))
	for round := range b.rounds {
		for i := range latencySides {
			i := (i + round) % len(latencySides)
			if last := len(rounds[i]) - 1; last >= 0 && rounds[i][last].late {
				continue
			}
			l := newLatencies(rate, b.seconds)
			if err := b.latency(ctx, i, sync, l); err != nil {
				return fmt.Errorf("%s: %w", latencySides[i].system, err)
			}
			rounds[i] = append(rounds[i], l)
			b.tell("latency, %d/s, sync %s, round %d: %s %v", rate, sync.name, round+1, latencySides[i].system, l)
		}
	}
	for i, s := range latencySides {
		b.reportLatencies(rate, sync, s.system, s.guarantee+sync.durability(), rounds[i])
	}
	return nil
}

// latency runs one side once.
func (b *bench) latency(ctx context.Context, i int, sync syncMode, l *latencies) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	dir := b.fresh()
	defer os.RemoveAll(dir)
	runtime.GC()
	err := latencySides[i].run(ctx, dir, sync, l)
	if errors.Is(err, errBehind) || err != nil && !errors.Is(err, errDamaged) && l.overdue() {
		l.late = true
		return nil
	}
	if err != nil {
		return err
	}
	if want := l.pace.total - l.skip; uint64(len(l.atSink)) != want {
		return fmt.Errorf("%d of %d messages arrived", len(l.atSink), want)
	}
	slices.Sort(l.atSink)
	slices.Sort(l.sent)
	return nil
}

var errBehind = fmt.Errorf("a message is more than %v late", behind)

// latencies are in milliseconds: when messages reached the sink, and how late
// the sender itself was.
//
// The time of a message is when it should have been sent: whatever holds the
// sender back counts for every message that waits meanwhile, and no slow moment
// hides itself by sending less.
type latencies struct {
	pace         *pace
	skip         uint64 // sent to warm up
	atSink, sent []float64
	late         bool
	arrived      atomic.Uint64
}

func newLatencies(rate, seconds int) *latencies {
	return &latencies{pace: newPace(rate, warmup+time.Duration(seconds)*time.Second), skip: uint64(warmup.Seconds() * float64(rate))}
}

func (l *latencies) String() string {
	if l.late {
		return fmt.Sprintf("does not keep up: more than %v late after %d messages", behind, l.arrived.Load())
	}
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", percentile(l.atSink, 0.5), percentile(l.atSink, 0.99))
}

// overdue says that the last message should have been there long ago: what
// then fails, such as a publish that got no room in its window, is that the
// side does not keep up.
func (l *latencies) overdue() bool {
	return !l.pace.start.IsZero() && time.Since(l.pace.due(l.pace.total)) > behind
}

// send notes how late message i is sent.
func (l *latencies) send(i uint64) error {
	late := time.Since(l.pace.due(i))
	if i >= l.skip {
		l.sent = append(l.sent, milliseconds(late))
	}
	if late > behind {
		return errBehind
	}
	return nil
}

// arrive notes how old message i is at the sink.
func (l *latencies) arrive(i uint64) error {
	l.arrived.Add(1)
	age := time.Since(l.pace.due(i))
	if i >= l.skip {
		l.atSink = append(l.atSink, milliseconds(age))
	}
	if age > behind {
		return errBehind
	}
	return nil
}

// latencyByHand is a sender, a relay that passes on what it gets, and a reader.
func latencyByHand(of peer) func(context.Context, string, syncMode, *latencies) error {
	return func(ctx context.Context, dir string, sync syncMode, l *latencies) error {
		_, err := of.run(func(p *program, n uint64) (func() error, error) {
			for _, topic := range []string{"beats", "passed"} {
				if err := p.topic(topic); err != nil {
					return nil, err
				}
			}
			take := checker(p.peer.ordered, n)
			err := errors.Join(
				p.relayer(relaying{name: "sink", from: "passed", n: n, handle: func(data []byte) ([]byte, error) {
					i := binary.LittleEndian.Uint64(data)
					return nil, errors.Join(take(i), l.arrive(i))
				}}),
				p.relayer(relaying{name: "pass", from: "beats", to: "passed", n: n, handle: func(data []byte) ([]byte, error) {
					return slices.Clone(data), nil
				}}),
				p.sender(sending{topic: "beats", n: n, make: func(i uint64) ([]byte, error) {
					if _, err := l.pace.wait(p.ctx, i); err != nil {
						return nil, err
					}
					data, _ := numberBytes(i)
					return data, l.send(i)
				}}),
			)
			l.pace.start = time.Now().Add(startDelay)
			return nil, err
		})(ctx, dir, sync, int(l.pace.total))
		return err
	}
}

// startDelay is from the setting up of a program by hand to its first message.
const startDelay = 10 * time.Millisecond

// latencyOfPipeline is a source, a stage that counts and passes on, and a sink.
func latencyOfPipeline(ctx context.Context, dir string, sync syncMode, l *latencies) error {
	w := &watch{}
	p := engine.New("latency")
	beats := engine.Source(p, "beats", func(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
		w.begin()
		now, err := l.pace.wait(ctx, at.Next)
		if err != nil {
			return err
		}
		for ; at.Next < l.pace.total; at.Next++ {
			if l.pace.due(at.Next).After(now) {
				return nil
			}
			if err := l.send(at.Next); err != nil {
				return engine.Fatal(err)
			}
			emit(at.Next)
		}
		return io.EOF
	})
	passed := engine.Stage(p, "pass", engine.On(beats,
		func(_ context.Context, count *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*count++
			emit(m.Value)
			return nil
		}))
	engine.Sink(p, "sink", passed, func(_ context.Context, t *tally, m engine.Message[uint64]) error {
		if m.Value != t.Count {
			return engine.Fatal(errDamaged)
		}
		t.Count++
		if err := l.arrive(m.Value); err != nil {
			return engine.Fatal(err)
		}
		return nil
	})
	_, err := runPipeline(ctx, p, w, dir, sync)
	return err
}

func (b *bench) reportLatencies(rate int, sync syncMode, system, guarantee string, rounds []*latencies) {
	f := figure{Case: fmt.Sprintf("two hops at %d/s", rate), Sync: sync.name, System: system, Messages: rate * b.seconds, Guarantee: guarantee}
	if last := rounds[len(rounds)-1]; last.late {
		f.What, f.Rounds = fallsBehind, []float64{float64(last.arrived.Load())}
		b.report.add(f)
		return
	}
	for _, q := range []struct {
		name string
		p    float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}} {
		f.What, f.Rounds, f.Aim = q.name+" ms", nil, nil
		for _, l := range rounds {
			f.Rounds = append(f.Rounds, percentile(l.atSink, q.p))
		}
		if q.name == "p99" && system == ours && sync.interval == 0 && rate == latencyRate {
			f.Aim = &aim{Below: latencyAim}
		}
		b.report.add(f)
	}
	f.What, f.Rounds, f.Guarantee = "p99 ms, sender late", nil, ""
	for _, l := range rounds {
		f.Rounds = append(f.Rounds, percentile(l.sent, 0.99))
	}
	b.report.add(f)
}

// fallsBehind is what is reported of a side that does not keep up.
const fallsBehind = "messages until 2 s behind"

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
