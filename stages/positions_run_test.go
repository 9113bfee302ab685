package stages_test

import (
	"context"
	"io"
	"slices"
	"testing"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/stages"
)

// table is what a database keeps for good: rows, and the positions of the sink that wrote them.
type table struct {
	positions []byte
	rows      []int
	runs      []string // one after the other
}

// write is the sink's function.
func (t *table) write(ctx context.Context, m engine.Message[int]) error {
	var positions stages.Positions
	if err := positions.Decode(t.positions); err != nil {
		return err
	}
	if !positions.Has(m) {
		t.rows = append(t.rows, m.Value)
		positions.Take(m)
	}
	t.positions = positions.Encode()
	if run := engine.InfoOf(ctx).Run; len(t.runs) == 0 || t.runs[len(t.runs)-1] != run {
		t.runs = append(t.runs, run)
	}
	return nil
}

// Positions that a sink keeps for good have nothing of a run that starts from the beginning, and all of one that goes
// on after an interruption.
func TestPositionsOfAnotherRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, in := range map[string]func(*engine.Config){"files": enginetest.In(dir), "memory": enginetest.NewMemory().In} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := engine.Config{Logger: quiet}
			in(&config)
			var database table
			for _, isInterrupted := range []bool{false, true, false} {
				runNumbers(t, config, &database, isInterrupted)
			}
			want := []int{0, 1, 2, 0, 1, 2} // the third run goes on with the second
			if !slices.Equal(database.rows, want) || len(database.runs) != 2 || database.runs[0] == "" {
				t.Errorf("rows %v, want %v; runs %q", database.rows, want, database.runs)
			}
		})
	}
}

// runNumbers writes three numbers, or is interrupted after two.
func runNumbers(t *testing.T, config engine.Config, database *table, isInterrupted bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := engine.New("rows")
	numbers := engine.Source(p, "numbers", func(ctx context.Context, next *int, emit engine.Emit[int]) error {
		switch {
		case isInterrupted && *next == 2:
			<-ctx.Done()
			return nil
		case *next == 3:
			return io.EOF
		}
		emit(*next)
		*next++
		return nil
	})
	engine.Sink(p, "rows", numbers, func(ctx context.Context, _ *struct{}, m engine.Message[int]) error {
		if isInterrupted && m.Value == 1 {
			defer cancel()
		}
		return database.write(ctx, m)
	})
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	if p.Status().Completed == isInterrupted {
		t.Fatalf("complete: %v", !isInterrupted)
	}
}
