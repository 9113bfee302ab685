package engine_test

import (
	"context"
	"path/filepath"
	"testing"

	"penstock/checkpoint"
	"penstock/engine"
	"penstock/engine/observe"
)

// Builds that counted dead letters in a note of the store, and not in the commits, leave their counts to this one.
func TestCountsOfAnEarlierBuildAreTakenOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	next := make(chan struct{})
	once := func(reject uint64) observe.StageStatus {
		p := engine.New("earlier")
		ctx, stop := bounded(t)
		defer stop()
		seen := 0
		engine.Sink(p, "sink", engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			if at.Next%10 == 9 {
				select {
				case next <- struct{}{}:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			emit(at.Next)
			at.Next++
			return nil
		}), func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if seen++; seen == 5 {
				stop()
			}
			if m.Value == reject {
				return engine.Reject(errDown)
			}
			return nil
		})
		if err := p.Run(ctx, testConfig(t, dir)); err != nil {
			t.Fatal(err)
		}
		return stageStatus(t, p.Status(), "sink")
	}
	once(1000)
	store, err := checkpoint.Open(checkpoint.Config{Dir: filepath.Join(dir, "checkpoints")})
	if err != nil {
		t.Fatal(err)
	}
	note := `{"starts":1,"restarts":0,"panics":0,"errors":0,"dead_letters":7,"dropped":2,"dead_letters_by_reason":{"panic":4}}`
	if err := store.Instance("sink.0").PutNote("stats", []byte(note)); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	go func() { <-next }()
	if s := once(10); s.DeadLetters != 8 || s.Dropped != 2 || s.DeadLettersBy["panic"] != 4 || s.DeadLettersBy["unknown"] != 3 || s.DeadLettersBy["rejected"] != 1 {
		t.Errorf("%+v", s)
	}
}
