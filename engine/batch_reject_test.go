package engine_test

import (
	"context"
	"errors"
	"testing"

	"penstock/engine"
)

// A rejection of a batch says that one of its messages is refused: they come again
// one by one, and the stage has not failed.
func TestARejectedBatchIsNoFailure(t *testing.T) {
	t.Parallel()
	p := engine.New("batch")
	numbers := engine.Source(p, "numbers", count(1000, 100))
	done, batches := map[uint64]int{}, 0
	engine.SinkBatch(p.With(engine.BatchSize(50)), "sink", numbers,
		func(_ context.Context, _ *struct{}, batch []engine.Message[uint64]) error {
			for _, m := range batch {
				if m.Value%250 == 0 {
					if len(batch) > 1 {
						batches++
					}
					return engine.Reject(errors.New("refused"))
				}
			}
			for _, m := range batch {
				done[m.Value]++
			}
			return nil
		})
	status := run(t, p, t.TempDir())
	s := stageStatus(t, status, "sink")
	if s.DeadLetters != 4 || len(done) != 996 {
		t.Errorf("%d done, %+v", len(done), s)
	}
	if batches == 0 || s.Restarts != 0 || s.Errors != 0 {
		t.Errorf("%d batches were rejected: %d restarts, %d errors, want none", batches, s.Restarts, s.Errors)
	}
}
