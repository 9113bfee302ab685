package partitions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
)

const values, held = 100, 50

// A held message cannot be handled, so it stays in the partitions that it was written for.
func TestWhatCannotMoveIsRefusedAndNamed(t *testing.T) {
	t.Parallel()
	config := patient.Config(t.TempDir())
	holding := func(tally int, isHeld, ends bool) error {
		ctx, stop := patient.Bounded(t)
		defer stop()
		return holding(tally, isHeld, ends, stop).Run(ctx, config)
	}
	if err := holding(2, true, false); err != nil {
		t.Fatal(err)
	}
	err := holding(3, true, true)
	if !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "stage tally has run in 2 partitions and is declared with 3, and not everything can be moved: tally.") ||
		!strings.Contains(err.Error(), " of values, values.0:") {
		t.Fatalf("error %v", err)
	}
	if err := holding(2, false, false); err != nil { // with the number before it goes on
		t.Fatal(err)
	}
	if err := holding(3, false, true); err != nil {
		t.Fatal(err)
	}
	inspector, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := inspector.Close(); err != nil {
			t.Error(err)
		}
	}()
	counts := states[uint64](t, inspector, "tally")
	for key, n := range counts {
		if n != values/10 || len(counts) != 10 {
			t.Errorf("key %s has counted %d, want %d: %v", key, n, values/10, counts)
		}
	}
}

// holding counts values, and holds one of them. It stops at that one, unless it ends.
func holding(tally int, isHeld, ends bool, stop func()) *engine.Pipeline {
	p := engine.New("holding")
	numbers := engine.Source(p, "values", func(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
		if at.Next == values && !ends {
			<-ctx.Done()
			return ctx.Err()
		}
		if at.Next == values {
			return io.EOF
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	key := func(v uint64) string { return fmt.Sprint(v % 10) }
	engine.Sink(p, "tally", engine.KeyBy(numbers, key), func(_ context.Context, n *uint64, m engine.Message[uint64]) error {
		if m.Value == held && !ends {
			stop()
		}
		if m.Value == held && isHeld {
			return engine.Hold
		}
		*n++
		return nil
	})
	p.SetPartitions("tally", tally)
	return p
}
