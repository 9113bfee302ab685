package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/inspect"
)

// A start that cannot rebuild the state of each stage takes none over: the run that is under way goes on, and nothing
// advises to delete it.
func TestARefusedStartLeavesTheOwnerAlone(t *testing.T) {
	t.Parallel()
	s, js := external(t)
	live := testConfig(t, t.TempDir())
	live.NATS.URL, live.CheckpointInterval = s.ClientURL(), 20*time.Millisecond
	wire := func() *engine.Pipeline {
		p := engine.New("kept")
		next := count(1<<40, 3)
		numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			time.Sleep(time.Millisecond) // it has no end: the rest of the test needs the processors, too
			return next(ctx, at, emit)
		})
		sums := engine.Stage(p, "sums", engine.On(engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v % 10) }),
			func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				*sum += m.Value
				emit(*sum)
				return nil
			}))
		engine.Sink(p, "sink", sums, ignore[struct{}, uint64])
		return p
	}
	first := wire()
	ctx, stop := bounded(t)
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	live.OnReady = func() error { close(ready); return nil }
	go func() { ended <- first.Run(ctx, live) }()
	<-ready
	trimmed := func(below uint64) { // the frames of the stage with keys
		for {
			stream, err := js.Stream(ctx, "kept+sums")
			if err != nil {
				t.Fatal(err)
			}
			if stream.CachedInfo().State.FirstSeq > below {
				return
			}
		}
	}
	trimmed(1)
	older := filepath.Join(t.TempDir(), "older")
	if err := copyLive(older, live.Dir); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, "kept+sums")
	if err != nil {
		t.Fatal(err)
	}
	trimmed(stream.CachedInfo().State.LastSeq)

	for name, dir := range map[string]string{"a new directory": filepath.Join(t.TempDir(), "new"), "an older copy": older} {
		config := live
		config.Dir, config.OnReady = dir, nil
		err := wire().Run(ctx, config)
		if !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "use the data directory of the latest run") || strings.Contains(err.Error(), "Fresh") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "penstock.json")); name == "a new directory" && err == nil {
			t.Errorf("%s is taken", name)
		}
		before := first.Status().Stages[0].Commits
		for first.Status().Stages[0].Commits < before+3 {
			select {
			case err := <-ended:
				t.Fatalf("%s stopped the run that was under way: %v", name, err)
			case <-time.After(time.Millisecond):
			}
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A data directory may have any name.
func TestADirectoryWithThePunctuationOfPatterns(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"data[1]", "data[", "a*b?"} {
		config := testConfig(t, filepath.Join(t.TempDir(), name))
		stopAfter(t, config, 10)
		report, err := doctor.Examine(t.Context(), inspect.Config{Dir: config.Dir})
		if err != nil || !report.Sound {
			t.Errorf("%s: %v, %+v", name, err, report)
		}
		stopAfter(t, config, 20)
	}
}
