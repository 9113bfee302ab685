package engine_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/observe"
)

// tailed is numbers -> double -> sum: as many numbers as there are tokens, at most
// n.
func tailed(n uint64, tokens <-chan struct{}) (*engine.Pipeline, *uint64) {
	p := engine.New("tailed")
	total := new(uint64)
	numbers := engine.Source(p, "numbers", func(ctx context.Context, next *uint64, emit engine.Emit[uint64]) error {
		if *next == n {
			return io.EOF
		}
		select {
		case <-tokens:
			emit(*next)
			*next++
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	doubled := engine.Stage(p, "double", engine.On(numbers,
		func(_ context.Context, count *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*count++
			emit(2 * m.Value)
			return nil
		}))
	engine.Sink(p, "sum", doubled, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error {
		*sum += m.Value
		*total = *sum
		return nil
	})
	return p, total
}

// crashed is the directory of a pipeline that has read n numbers, each in a commit
// of its own, as it is when its process dies, with what a cut of the power left of
// the source's channel: its first frames, or all for 0.
func crashed(t *testing.T, n uint64, sync time.Duration, frames uint64) string {
	t.Helper()
	tokens := make(chan struct{})
	p, _ := tailed(n+1, tokens)
	config := testConfig(t, t.TempDir())
	config.Sync, config.CheckpointInterval = sync, time.Hour
	b := runBeside(t, p, config)
	for k := range n {
		tokens <- struct{}{}
		b.until("sum", "has it", func(s observe.StageStatus) bool { return s.In == k+1 })
	}
	dir := filepath.Join(t.TempDir(), "copy")
	if err := copyLive(dir, config.Dir); err != nil {
		t.Fatal(err)
	}
	close(tokens)
	b.complete()
	if frames > 0 {
		dropTail(t, dir, "tailed+numbers", frames)
	}
	return dir
}

func dropTail(t *testing.T, dir, name string, frames uint64) {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{Dir: dir + "/jetstream", Sync: time.Hour, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	stream, err := b.JetStream().Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	last := stream.CachedInfo().State.LastSeq
	if last <= frames {
		t.Fatalf("%s has %d frames only", name, last)
	}
	for sequence := last; sequence > frames; sequence-- {
		if err := stream.DeleteMsg(t.Context(), sequence); err != nil {
			t.Fatal(err)
		}
	}
}

// What took messages that a cut of the power took is taken back, where the server
// synced at an interval, and the result is exact.
func TestLostTailIsTakenBack(t *testing.T) {
	t.Parallel()
	const n = 40
	dir := crashed(t, n, time.Hour, 12)
	p, total := tailed(n, noTokens())
	config := testConfig(t, dir)
	config.Sync = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	if status := p.Status(); !status.Completed || *total != n*(n-1) {
		t.Errorf("the sum is %d, and should be %d: %+v", *total, n*(n-1), status)
	}
	if state := committedState[uint64](t, dir, "double")[""]; state != n {
		t.Errorf("double counted %d of %d", state, n)
	}
}

// A process that is killed loses nothing, also where the server syncs at an interval: no commit is rolled back.
func TestNothingIsTakenBackOfAKilledProcess(t *testing.T) {
	t.Parallel()
	const n = 40
	dir := crashed(t, n, time.Hour, 0)
	p, _ := tailed(n, noTokens())
	config := testConfig(t, dir)
	config.Sync = time.Hour
	config.OnReady = func() error {
		for _, stage := range []string{"double", "sum"} {
			if s := stageStatus(t, p.Status(), stage); s.In != n {
				t.Errorf("%s is back at %d of %d", stage, s.In, n)
			}
		}
		return nil
	}
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	if sum := committedState[uint64](t, dir, "sum")[""]; sum != n*(n-1) {
		t.Errorf("the sum is %d", sum)
	}
}

// Where every commit was synced nothing may be lost: that is refused.
func TestLostTailOfASyncedChannelIsRefused(t *testing.T) {
	t.Parallel()
	const n = 40
	dir := crashed(t, n, 0, 12)
	for _, sync := range []time.Duration{0, time.Hour, time.Hour} {
		p, _ := tailed(n, noTokens())
		config := testConfig(t, dir)
		config.Sync = sync
		if err := runBounded(t, p, config); !errors.Is(err, engine.ErrRefused) {
			t.Errorf("sync %v: %v", sync, err)
		}
	}
}

func noTokens() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
