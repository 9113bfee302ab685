package main

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"
)

func TestChecksCanFail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ordered bool
		numbers []uint64
		fails   bool
	}{
		"in order":            {true, []uint64{0, 1, 2}, false},
		"twice":               {true, []uint64{0, 0}, true},
		"a gap":               {true, []uint64{0, 2}, true},
		"any order":           {false, []uint64{2, 0, 1}, false},
		"any order, twice":    {false, []uint64{2, 0, 2}, true},
		"any order, too many": {false, []uint64{3}, true},
	} {
		take := checker(test.ordered, 3)
		var failed error
		for _, i := range test.numbers {
			failed = errors.Join(failed, take(i))
		}
		if (failed != nil) != test.fails {
			t.Errorf("%s: %v", name, failed)
		}
	}
}

func TestShapesAreAsLargeAsTheySay(t *testing.T) {
	t.Parallel()
	for _, s := range shapes {
		write, read := s.byHand()
		value, err := write(77)
		if err != nil || len(value) != s.size {
			t.Errorf("%v: %d bytes, %v: %s", s, len(value), err, value)
		}
		if i, err := read(value); err != nil || i != 77 {
			t.Errorf("%v: number %d, %v", s, i, err)
		}
		if _, err := read(value[:len(value)-1]); err == nil {
			t.Errorf("%v: a value that is cut short is accepted", s)
		}
	}
	if text, err := json.Marshal(newOrders(1024).value(5)); err != nil || len(text) != 1024 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestWordsAreCountedByFormula(t *testing.T) {
	t.Parallel()
	var got words
	for i := range uint64(100) {
		if want := wordsOf(i); got != want {
			t.Errorf("below %d: %+v by counting, %+v by formula", i, got, want)
		}
		got.count(word(i))
	}
}

// TestEveryPeerReportsDamage lets each of them carry messages that are wrong.
func TestEveryPeerReportsDamage(t *testing.T) {
	t.Parallel()
	for _, of := range peers() {
		t.Run(of.system, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			_, err := of.run(func(p *program, n uint64) (func() error, error) {
				if err := errors.Join(p.topic("first"), p.topic("second")); err != nil {
					return nil, err
				}
				take := checker(of.ordered, n)
				return nil, errors.Join(
					p.relayer(relaying{name: "reader", from: "second", n: n, handle: func(data []byte) ([]byte, error) {
						i, err := newRaw(16).read(data)
						return nil, errors.Join(err, take(i))
					}}),
					p.relayer(relaying{name: "relay", from: "first", to: "second", n: n, handle: func(data []byte) ([]byte, error) {
						return data, nil
					}}),
					p.sender(sending{topic: "first", n: n, make: func(i uint64) ([]byte, error) { return newRaw(16).fresh(i / 2) }}),
				)
			})(ctx, t.TempDir(), syncModes[1], 100)
			if !errors.Is(err, errDamaged) {
				t.Errorf("each message twice: %v", err)
			}
		})
	}
}

func TestLateMessagesAreNoticed(t *testing.T) {
	t.Parallel()
	l := newLatencies(10, 1)
	l.pace.start = time.Now().Add(-time.Hour)
	if !l.overdue() || newLatencies(10, 1).overdue() {
		t.Error("an hour late is not overdue, or what has not begun is")
	}
	if err := l.send(l.skip); !errors.Is(err, errBehind) {
		t.Errorf("sent an hour late: %v", err)
	}
	if err := l.arrive(l.skip); !errors.Is(err, errBehind) {
		t.Errorf("arrived an hour late: %v", err)
	}
	if len(l.sent) != 1 || len(l.atSink) != 1 || l.atSink[0] < 3_000_000 {
		t.Errorf("an hour is %v and %v ms", l.sent, l.atSink)
	}
	l.late = true
	b := &bench{settings: settings{seconds: 1}}
	b.reportLatencies(10, syncModes[0], "slow", "", []*latencies{l})
	if f := b.report.Figures; len(f) != 1 || f[0].What != fallsBehind || f[0].Median != 1 {
		t.Errorf("reported as %+v", f)
	}
}
