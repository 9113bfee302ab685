package unstablecounter_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/supervise"
	"penstock/examples/unstablecounter"
	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// crashes are the ticks at which the counter panics in 5 s.
var crashes = []uint64{256, 312, 368, 424, 480}

// shown are the counts that the display gets in 5 s.
func shown() []uint64 {
	var counts []uint64
	begin := uint64(1)
	for range crashes {
		for n := begin; n <= 255; n++ {
			counts = append(counts, n)
		}
		begin = 201
	}
	for n := begin; n <= 220; n++ {
		counts = append(counts, n)
	}
	return counts
}

// observed is what a run does: what the display logs, and the ticks of the
// counter's panics. Safe for concurrent use.
type observed struct {
	slog.Handler // discards
	mu           sync.Mutex
	counts       []uint64
	panics       []uint64
	starts       []uint64 // where the counter began
}

func (o *observed) Enabled(context.Context, slog.Level) bool { return true }

func (o *observed) WithAttrs([]slog.Attr) slog.Handler { return o }

func (o *observed) Handle(_ context.Context, r slog.Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case r.Message == "display" && a.Key == "count":
			o.counts = append(o.counts, a.Value.Uint64())
		case r.Message == "counting" && a.Key == "from":
			o.starts = append(o.starts, a.Value.Uint64())
		}
		return true
	})
	return nil
}

// config observes with a clock that stands still while the counter is down.
func (o *observed) config(dir string, c *clock) engine.Config {
	return engine.Config{Dir: dir, Logger: slog.New(o), OnEvent: func(e supervise.Event) {
		if e.Kind == supervise.Failed && e.Child == "counter" && e.Reason == supervise.Panic {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.panics = append(o.panics, c.ticked.Load())
		}
	}}
}

func stateOf[S any](t *testing.T, config engine.Config, stage string) (state S) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close()
	err = inspector.State(t.Context(), stage, func(_ string, data json.RawMessage) error { return json.Unmarshal(data, &state) })
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// check compares with what 5 s must do, however often the process began.
func (o *observed) check(t *testing.T, p *engine.Pipeline, config engine.Config, starts []uint64) {
	t.Helper()
	if !slices.Equal(o.panics, crashes) {
		t.Errorf("it panicked at the ticks %v, want %v", o.panics, crashes)
	}
	if !slices.Equal(o.starts, starts) {
		t.Errorf("it began at the counts %v, want %v", o.starts, starts)
	}
	if want := shown(); len(want) != 495 || !slices.Equal(o.counts, want) {
		t.Errorf("the display showed %d counts, want %d:\n%v", len(o.counts), len(want), o.counts)
	}
	if got, want := stateOf[unstablecounter.State](t, config, "counter"), (unstablecounter.State{Count: 220, Snapshot: 200}); got != want {
		t.Errorf("counter %+v, want %+v", got, want)
	}
	if got, want := stateOf[unstablecounter.Shown](t, config, "display"), (unstablecounter.Shown{Last: 220, Values: 495}); got != want {
		t.Errorf("display %+v, want %+v", got, want)
	}
	status := p.Status()
	if !status.Completed || len(status.Stages) != 2 {
		t.Fatalf("status %+v", status)
	}
	counter, display := status.Stages[0], status.Stages[1]
	if counter.Out != 495 || counter.Panics != 5 || counter.Restarts != 5 || counter.Errors != 0 || counter.RecoveryFailures != 0 {
		t.Errorf("counter: %+v", counter)
	}
	if display.In != 495 || display.Lag != 0 || display.Panics+display.Errors+display.DeadLetters != 0 {
		t.Errorf("display: %+v", display)
	}
}

func TestFiveSeconds(t *testing.T) {
	t.Parallel()
	o, c := &observed{Handler: slog.DiscardHandler}, &clock{ticks: 500}
	config := o.config(t.TempDir(), c)
	p := unstablecounter.New(unstablecounter.Options{Tick: c.tick})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatalf("run: %v", err)
	}
	o.check(t, p, config, []uint64{0, 200, 200, 200, 200, 200})
}

// The pipeline that goes on is a new one, as in a new process: the recovery
// function of the first is gone, and only the state knows the snapshot.
func TestStoppedInTheMiddleResumes(t *testing.T) {
	t.Parallel()
	first, stop := context.WithCancel(t.Context())
	defer stop()
	o, c := &observed{Handler: slog.DiscardHandler}, &clock{ticks: 500, stop: stop, stopAt: 300}
	config := o.config(t.TempDir(), c)
	p := unstablecounter.New(unstablecounter.Options{Tick: c.tick})
	if err := p.Run(first, config); err != nil || p.Status().Completed {
		t.Fatalf("the first run: %v, %+v", err, p.Status())
	}
	if got, want := stateOf[unstablecounter.State](t, config, "counter"), (unstablecounter.State{Count: 244, Snapshot: 200}); got != want {
		t.Errorf("after the stop: %+v, want %+v", got, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p = unstablecounter.New(unstablecounter.Options{Tick: c.tick})
	if err := p.Run(ctx, config); err != nil {
		t.Fatalf("the second run: %v", err)
	}
	o.check(t, p, config, []uint64{0, 200, 244, 200, 200, 200, 200})
}
