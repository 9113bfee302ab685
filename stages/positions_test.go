package stages_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"penstock/engine"
	"penstock/stages"
)

type delivery engine.Delivery

func (d delivery) Delivery() engine.Delivery { return engine.Delivery(d) }

func first(offset uint64) delivery { return delivery{Stream: "s", Offset: offset} }

func replayed(offset, request uint64) delivery {
	return delivery{Stream: "s", Offset: offset, Replay: request}
}

// Messages fail, are overtaken, come again and are replayed, in any order; each is had once it is taken, and not before.
func TestPositionsHaveWhatWasTaken(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		var p stages.Positions
		taken := map[uint64]bool{}
		for range 300 {
			d := first(uint64(random.IntN(200)))
			if random.IntN(4) == 0 {
				d.Replay = uint64(1 + random.IntN(50)) // exact: nothing was forgotten
			}
			if p.Has(d) != taken[d.Offset] {
				t.Fatalf("has %+v: %v, taken: %v; %+v", d, p.Has(d), taken[d.Offset], p)
			}
			if random.IntN(2) == 0 {
				p.Take(d)
				taken[d.Offset] = true
			}
			if err := p.Decode(p.Encode()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A sink with many dead letters keeps few gaps, and of those that it forgot it goes by the number of the replay.
func TestPositionsStaySmallWithManyLetters(t *testing.T) {
	t.Parallel()
	var p stages.Positions
	const n = 100_000
	for offset := uint64(0); offset < n; offset += 2 { // the others are dead letters
		d := first(offset)
		d.Settled = offset
		p.Take(d)
	}
	if size := len(p.Encode()); size > 16<<10 {
		t.Errorf("%d bytes", size)
	}
	request := uint64(7)
	for offset := uint64(1); offset < n-1; offset += 2 {
		request++
		d := replayed(offset, request)
		if d.Settled = n; p.Has(d) {
			t.Fatalf("%+v is had before it was taken", d)
		}
		p.Take(d)
		if !p.Has(d) {
			t.Fatalf("%+v is not had", d)
		}
	}
	for offset := range uint64(n - 1) {
		if !p.Has(first(offset)) {
			t.Fatalf("%d is not had", offset)
		}
	}
}

// What may still come as a first delivery is not forgotten, however many gaps there are.
func TestPositionsKeepWhatIsNotSettled(t *testing.T) {
	t.Parallel()
	var p stages.Positions
	for offset := uint64(3); offset < 5000; offset += 2 { // 2 waits for its next attempt
		d := first(offset)
		d.Settled = 2
		p.Take(d)
	}
	for offset := uint64(2); offset < 5000; offset += 2 {
		if p.Has(first(offset)) {
			t.Fatalf("%d is had, and was overtaken", offset)
		}
	}
}

func TestPositionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"version":3,"streams":{}}`: "newer version",
		`{"streams":{}}`:             "no version",
		`{"version":1,"streams":{"s":{"next":5,"gaps":[{"first":3,"end":9}]}}}`: "damaged",
		`{"version":1,"streams":{"s":{"next":5,"gaps":[{"first":3,"end":3}]}}}`: "damaged",
		`{"version":`: "cannot be read",
	} {
		var p stages.Positions
		p.Take(first(1))
		before := p.Encode()
		wantError(t, p.Decode([]byte(text)), want)
		if !slices.Equal(p.Encode(), before) {
			t.Errorf("%s: half of it was read", text)
		}
	}
	var p stages.Positions
	if err := p.Decode(nil); err != nil || p.Has(first(0)) {
		t.Errorf("of nothing: %v", err)
	}
}
