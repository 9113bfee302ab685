package engine_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// order is a message as people have them.
type order struct {
	Number   uint64    `json:"number"`
	Customer string    `json:"customer"`
	Street   string    `json:"street"`
	City     string    `json:"city"`
	Lines    []string  `json:"lines"`
	Total    float64   `json:"total"`
	At       time.Time `json:"at"`
}

func newOrder(n uint64) order {
	return order{
		Number: n, Customer: "Ada Lovelace", Street: "12 St James's Square", City: "London",
		Lines: []string{"1 engine, analytical", "40 wheels, brass"}, Total: 1843.5, At: time.Unix(0, int64(n)),
	}
}

// backlog runs n messages through a stage, of which every hundredth is poison if
// poison says so, and returns how long that took and how often each was tried.
func backlog[T any](tb testing.TB, n uint64, message func(uint64) T, number func(T) uint64, poison func(v uint64) error) (time.Duration, map[uint64]int, observe.Status) {
	tries := map[uint64]int{}
	p := engine.New("backlog")
	numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[T]) error {
		for range 100 {
			if at.Next == n {
				return io.EOF
			}
			emit(message(at.Next))
			at.Next++
		}
		return nil
	})
	patient := p.With(engine.AttemptDelay(supervise.Immediate()))
	sound := engine.Stage(patient, "worker", engine.On(numbers,
		func(_ context.Context, s *uint64, m engine.Message[T], emit engine.Emit[T]) error {
			if v := number(m.Value); v%100 == 50 {
				if err := poison(v); err != nil {
					tries[v]++
					return err
				}
			}
			*s++
			emit(m.Value)
			return nil
		}))
	engine.Sink(p, "sink", sound, func(_ context.Context, s *uint64, m engine.Message[T]) error {
		*s++
		return nil
	})
	start := time.Now()
	if err := p.Run(tb.Context(), quiet(tb.TempDir())); err != nil {
		tb.Fatal(err)
	}
	return time.Since(start), tries, p.Status()
}

func self(v uint64) uint64 { return v }

func orderNumber(o order) uint64 { return o.Number }

// Poison costs a backlog little, and each message is tried as often as it may.
func TestBacklogWithPoison(t *testing.T) {
	t.Parallel()
	const n = 10_000
	_, tries, status := backlog(t, n, self, self, func(v uint64) error {
		if v%200 == 50 {
			panic("poison")
		}
		return errors.New("poison")
	})
	if s := stageStatus(t, status, "worker"); s.DeadLetters != n/100 || s.Errors+s.Panics < n/40 || s.Out != n-n/100 {
		t.Errorf("%+v", s)
	}
	for v, n := range tries {
		if n != 3 {
			t.Errorf("%d was tried %d times", v, n)
		}
	}
}

// The same backlog with one per cent of poison and without, in turn.
func BenchmarkBacklogWithPoison(b *testing.B) {
	b.Run("numbers", func(b *testing.B) { benchmarkPoison(b, self, self) })
	b.Run("orders", func(b *testing.B) { benchmarkPoison(b, newOrder, orderNumber) })
}

func benchmarkPoison[T any](b *testing.B, message func(uint64) T, number func(T) uint64) {
	const n = 100_000
	var sound, poisoned []float64
	for b.Loop() {
		t1, _, _ := backlog(b, n, message, number, func(uint64) error { return nil })
		t2, _, _ := backlog(b, n, message, number, func(uint64) error { return errors.New("poison") })
		sound, poisoned = append(sound, float64(t1.Milliseconds())), append(poisoned, float64(t2.Milliseconds()))
	}
	slices.Sort(sound)
	slices.Sort(poisoned)
	b.ReportMetric(sound[len(sound)/2], "sound-ms")
	b.ReportMetric(poisoned[len(poisoned)/2], "poisoned-ms")
	b.ReportMetric(poisoned[len(poisoned)/2]/sound[len(sound)/2], "x")
}
