package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/engine"
)

// Versions of a state, as a program's releases might have them.
type (
	totalV1 struct{ Euros uint64 }
	totalV2 struct{ Cents uint64 }
	totalV3 struct {
		Sum      string // in cents
		Bookings map[string]uint64
	}
)

func toCents(before totalV1) (totalV2, error) { return totalV2{before.Euros * 100}, nil }

func toBookings(before totalV2) (totalV3, error) {
	return totalV3{fmt.Sprint(before.Cents), map[string]uint64{}}, nil
}

func (t *totalV3) cents() (n uint64) {
	_, _ = fmt.Sscan(t.Sum, &n)
	return n
}

func addV3(t *totalV3, n uint64) {
	t.Sum = fmt.Sprint(t.cents() + 100*n)
	t.Bookings["late"]++
}

var errReleased = errors.New("a new version is released")

// bookings adds each number to the state of its class, or to the only one. It stops at the number until, if there is one.
func bookings[S any](p *engine.Pipeline, keyed bool, until uint64, add func(*S, uint64), seen map[string]S, parts ...engine.Part[S, engine.None]) {
	numbers := engine.Source(p.With(fast), "numbers", count(300, 7))
	input := numbers
	if keyed {
		input = engine.KeyBy(numbers, func(n uint64) string { return fmt.Sprint(n % 5) })
	}
	engine.Sink(p.With(fast), "total", input, func(ctx context.Context, s *S, m engine.Message[uint64]) error {
		switch {
		case m.Value == until && m.Attempt == 1:
			return errReleased // what came before it is committed
		case m.Value == until:
			return engine.Fatal(errReleased)
		}
		add(s, m.Value)
		seen[engine.CurrentKey(ctx)] = *s
		return nil
	}, parts...)
}

func TestStateIsMigrated(t *testing.T) {
	t.Parallel()
	for _, keyed := range []bool{false, true} {
		t.Run(fmt.Sprintf("keyed=%v", keyed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := engine.New("released")
			bookings(p, keyed, 100, func(s *totalV1, n uint64) { s.Euros += n }, map[string]totalV1{})
			if err := runFailing(t, p, dir); !errors.Is(err, errReleased) {
				t.Fatal(err)
			}
			p = engine.New("released")
			v2 := engine.Migrated(engine.JSON[totalV2](), engine.JSON[totalV1](), toCents)
			bookings(p, keyed, 200, func(s *totalV2, n uint64) { s.Cents += 100 * n }, map[string]totalV2{}, engine.StateCodec[totalV2, engine.None](v2))
			if err := runFailing(t, p, dir); !errors.Is(err, errReleased) {
				t.Fatal(err)
			}
			p = engine.New("released")
			v3 := engine.Migrated(engine.JSON[totalV3](), v2, toBookings)
			last := map[string]totalV3{}
			bookings(p, keyed, 300, addV3, last, engine.StateCodec[totalV3, engine.None](v3))
			run(t, p, dir)
			var sum, late uint64
			for _, s := range last {
				sum, late = sum+s.cents(), late+s.Bookings["late"]
			}
			if sum != 299*300/2*100 || late != 100 {
				t.Errorf("%d cents in %d late bookings: %v", sum, late, last)
			}
		})
	}
}

// A field that is gone would be lost without a word.
func TestStateWithAnUnknownFieldIsRefused(t *testing.T) {
	t.Parallel()
	for _, keyed := range []bool{false, true} {
		dir := t.TempDir()
		p := engine.New("released")
		bookings(p, keyed, 100, func(s *totalV1, n uint64) { s.Euros += n }, map[string]totalV1{})
		_ = runFailing(t, p, dir)
		p = engine.New("released")
		bookings(p, keyed, 300, func(s *totalV2, n uint64) { s.Cents += 100 * n }, map[string]totalV2{})
		err := runFailing(t, p, dir)
		if !strings.Contains(err.Error(), "Euros") || !strings.Contains(err.Error(), "engine.Migrated") {
			t.Errorf("keyed=%v: %v", keyed, err)
		}
	}
}

func TestMigratedReadsOldAndNew(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	codec := engine.Migrated(engine.JSON[totalV2](), engine.DefaultCodec[uint64](), func(n uint64) (totalV2, error) {
		if n%2 == 1 {
			return totalV2{}, odd
		}
		return totalV2{n * 100}, nil
	})
	old := func(n uint64) []byte {
		data, _ := engine.DefaultCodec[uint64]().Append(nil, n)
		return data
	}
	for _, c := range []struct {
		data []byte
		want totalV2
		err  string
	}{
		{[]byte(`{"Cents":7}`), totalV2{7}, ""},
		{old(4), totalV2{400}, ""},
		{old(5), totalV2{}, "convert a value that an older version wrote: odd"},
		{[]byte(`{"Cents":7}{}`), totalV2{}, "json: unexpected data after the value; nor as the previous type: decode uint64: 13 bytes, want 8"},
		{[]byte(`{"Francs":7}`), totalV2{}, `json: unknown field "Francs"; nor as the previous type: decode uint64: 12 bytes, want 8`},
	} {
		got, err := codec.Decode(c.data)
		if err == nil && got != c.want || err != nil && err.Error() != c.err || err == nil && c.err != "" {
			t.Errorf("%q: %+v, %v", c.data, got, err)
		}
	}
	if data, err := codec.Append(nil, totalV2{7}); codec.Name() != "json" || string(data) != `{"Cents":7}` || err != nil {
		t.Errorf("%s: %s, %v", codec.Name(), data, err)
	}
}

// What JSON would lose is a mistake of the new type, too.
func TestMigratedStateThatJSONLosesIsRefused(t *testing.T) {
	t.Parallel()
	type hidden struct{ cents uint64 }
	p := engine.New("hidden")
	codec := engine.Migrated(engine.JSON[hidden](), engine.JSON[totalV1](), func(totalV1) (hidden, error) { return hidden{cents: 1}, nil })
	bookings(p, false, 300, func(s *hidden, n uint64) { s.cents += n }, map[string]hidden{}, engine.StateCodec[hidden, engine.None](codec))
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "cannot be saved as JSON") {
		t.Error(err)
	}
}
