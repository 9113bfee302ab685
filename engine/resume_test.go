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

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/internal/testing/natsserver"
)

// interruptible builds a pipeline that stops itself after some messages: the
// sink calls stop at each of the given counts.
func interruptible(p *engine.Pipeline, n uint64, got func(context.Context, *struct{}, engine.Message[string]) error) {
	numbers := engine.Source(p, "numbers", count(n, 3))
	doubled := engine.Stage(p, "sums",
		engine.On(engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v % 10) }),
			func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[string]) error {
				*sum += m.Value
				emit(fmt.Sprint(m.Value, "=", *sum))
				return nil
			}))
	engine.Sink(p, "sink", doubled, got)
}

func TestInterruptedRunsResumeWhereTheyWere(t *testing.T) {
	t.Parallel()
	const n = 3000
	dir := t.TempDir()
	got := collect[string](t)
	for round := 1; ; round++ {
		p := engine.New("resume")
		ctx, stop := bounded(t)
		seen := 0
		interruptible(p, n, func(ctx context.Context, s *struct{}, m engine.Message[string]) error {
			if seen++; seen == 500 {
				stop()
			}
			return got.sink(ctx, s, m)
		})
		err := p.Run(ctx, testConfig(t, dir))
		stop()
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if p.Status().Completed {
			break
		}
		if round > 10 {
			t.Fatal("the pipeline does not come to its end")
		}
	}
	values := got.all()
	if len(values) != n {
		t.Fatalf("%d values, want %d", len(values), n)
	}
	sums := map[int]int{}
	for v := range n {
		sums[v%10] += v
		if want := fmt.Sprint(v, "=", sums[v%10]); values[v] != want {
			t.Fatalf("value %d is %s, want %s", v, values[v], want)
		}
	}
}

func TestCompletedRunStartsAnewAndFreshDoesAnyway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		p := engine.New("anew")
		got := collect[string](t)
		interruptible(p, 100, got.sink)
		run(t, p, dir)
		if len(got.all()) != 100 {
			t.Errorf("%d values", len(got.all()))
		}
	}
	p := engine.New("anew")
	ctx, stop := bounded(t)
	interruptible(p, 1<<40, func(context.Context, *struct{}, engine.Message[string]) error { stop(); return nil })
	if err := p.Run(ctx, testConfig(t, dir)); err != nil {
		t.Fatal(err)
	}
	p = engine.New("anew")
	got := collect[string](t)
	interruptible(p, 50, got.sink)
	config := testConfig(t, dir)
	config.Fresh = true
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	if values := got.all(); len(values) != 50 || values[0] != "0=0" {
		t.Errorf("after a fresh start: %d values", len(values))
	}
}

func TestSecondProcessIsToldWhoHasTheDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := engine.New("locked")
	inside := make(chan struct{})
	ctx, stop := bounded(t)
	numbers := engine.Source(p, "numbers", func(ctx context.Context, _ *struct{}, _ engine.Emit[uint64]) error {
		close(inside)
		<-ctx.Done()
		return ctx.Err()
	})
	engine.Sink(p, "sink", numbers, ignore[struct{}, uint64])
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, testConfig(t, dir)) }()
	<-inside
	second := engine.New("locked")
	engine.Sink(second, "sink", engine.Source(second, "numbers", count(1, 1)), ignore[struct{}, uint64])
	err := runBounded(t, second, testConfig(t, dir))
	if !errors.Is(err, engine.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("second run: %v", err)
	}
	if err := runBounded(t, p, testConfig(t, t.TempDir())); !errors.Is(err, engine.ErrRunning) {
		t.Errorf("the same pipeline again: %v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("first run: %v", err)
	}
}

// external is a server outside the pipeline, as a user would run it.
func external(t *testing.T) (*natsserver.Server, jetstream.JetStream) {
	t.Helper()
	s := natsserver.Start(t, func(o *server.Options) { o.SyncAlways = true })
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return s, js
}

// stopAfter runs a pipeline until its sink has seen some messages.
func stopAfter(t *testing.T, config engine.Config, messages int) {
	t.Helper()
	ctx, stop := bounded(t)
	defer stop()
	p := engine.New("moved")
	seen := 0
	interruptible(p, 1<<40, func(context.Context, *struct{}, engine.Message[string]) error {
		if seen++; seen == messages {
			stop()
		}
		return nil
	})
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
}

func TestWhatDoesNotFitTogetherIsRefused(t *testing.T) {
	t.Parallel()
	refuse := func(t *testing.T, config engine.Config, want string) {
		t.Helper()
		ctx, stop := bounded(t)
		defer stop()
		p := engine.New("moved")
		interruptible(p, 1<<40, func(context.Context, *struct{}, engine.Message[string]) error { stop(); return nil })
		err := p.Run(ctx, config)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want %q", err, want)
		}
	}
	setup := func(t *testing.T) (engine.Config, jetstream.JetStream) {
		s, js := external(t)
		config := testConfig(t, t.TempDir())
		config.NATS.URL = s.ClientURL()
		stopAfter(t, config, 1000)
		return config, js
	}
	t.Run("purged unread frames", func(t *testing.T) {
		t.Parallel()
		config, js := setup(t)
		// A stopped run has drained, so that nothing is unread. Its source
		// writes on with the sink's stage unable to read.
		purgeMiddle(t, config, js)
		refuse(t, config, "missing")
	})
	t.Run("deleted channel", func(t *testing.T) {
		t.Parallel()
		config, js := setup(t)
		if err := js.DeleteStream(t.Context(), "moved+sums"); err != nil {
			t.Fatal(err)
		}
		refuse(t, config, "the channel is empty")
	})
	t.Run("channel deleted that an ended stage had read", func(t *testing.T) {
		t.Parallel()
		s, js := external(t)
		config := testConfig(t, t.TempDir())
		config.NATS.URL = s.ClientURL()
		wire := func(stop func()) *engine.Pipeline {
			p := engine.New("halfway")
			numbers := engine.Source(p, "numbers", count(100, 10))
			engine.Sink(p, "done", numbers, ignore[struct{}, uint64])
			engine.Sink(p, "waiting", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error {
				if p.Status().Stages[1].Ended {
					stop()
				}
				return engine.Snooze(time.Millisecond)
			})
			return p
		}
		ctx, stop := bounded(t)
		defer stop()
		if err := wire(stop).Run(ctx, config); err != nil {
			t.Fatal(err)
		}
		if err := js.DeleteStream(t.Context(), "halfway+waiting"); err != nil {
			t.Fatal(err)
		}
		if err := js.DeleteStream(t.Context(), "halfway+numbers"); err != nil {
			t.Fatal(err)
		}
		config.Dir = t.TempDir()
		err := runBounded(t, wire(func() {}), config)
		if !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "stage done has consumed 100 messages of numbers") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("channel of a pipeline that started over elsewhere", func(t *testing.T) {
		t.Parallel()
		config, _ := setup(t)
		other := config
		other.Dir, other.Fresh = t.TempDir(), true
		stopAfter(t, other, 10)
		refuse(t, config, "belongs to another data directory")
	})
	t.Run("directory of another pipeline", func(t *testing.T) {
		t.Parallel()
		config, _ := setup(t)
		p := engine.New("another")
		engine.Sink(p, "sink", engine.Source(p, "numbers", count(1, 1)), ignore[struct{}, uint64])
		if err := runBounded(t, p, config); !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), `belongs to the pipeline "moved"`) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("keyed state left behind", func(t *testing.T) {
		t.Parallel()
		config, js := setup(t)
		sums, err := js.Stream(t.Context(), "moved+sums")
		if err == nil {
			err = sums.Purge(t.Context(), jetstream.WithPurgeSubject("moved.sums.0"), jetstream.WithPurgeKeep(1)) // as trims do
		}
		if err != nil {
			t.Fatal(err)
		}
		config.Dir = t.TempDir()
		refuse(t, config, "use the data directory of the latest run")
	})
	t.Run("damaged checkpoint", func(t *testing.T) {
		t.Parallel()
		config, _ := setup(t)
		tables, err := filepath.Glob(filepath.Join(config.Dir, "checkpoints", "*.sst"))
		if err != nil || len(tables) == 0 {
			t.Fatalf("no tables: %v", err)
		}
		data, err := os.ReadFile(tables[0])
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/3] ^= 1
		if err := os.WriteFile(tables[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		refuse(t, config, "damaged")
	})
}

// purgeMiddle makes a gap: frames that the reader still needs vanish.
func purgeMiddle(t *testing.T, config engine.Config, js jetstream.JetStream) {
	t.Helper()
	ctx, stop := bounded(t)
	defer stop()
	before := uint64(0)
	p := engine.New("moved")
	numbers := engine.Source(p, "numbers", count(1<<40, 3))
	held := engine.Stage(p, "sums", engine.On(engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v % 10) }),
		func(_ context.Context, _ *uint64, _ engine.Message[uint64], _ engine.Emit[string]) error {
			if p.Status().Stages[0].Commits >= before+3 {
				stop()
			}
			return engine.Snooze(time.Millisecond)
		}))
	engine.Sink(p, "sink", held, ignore[struct{}, string])
	config.OnReady = func() error {
		before = p.Status().Stages[0].Commits
		return nil
	}
	if err := p.Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "moved+numbers")
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context(), jetstream.WithPurgeSequence(info.State.LastSeq)); err != nil {
		t.Fatal(err)
	}
}

// A process that is killed while it deletes the last run leaves a marker, and
// the next one finishes.
func TestHalfDeletedRunIsDeletedToTheEnd(t *testing.T) {
	t.Parallel()
	s, js := external(t)
	config := testConfig(t, t.TempDir())
	config.NATS.URL = s.ClientURL()
	stopAfter(t, config, 10)
	if err := js.DeleteStream(t.Context(), "moved+sums"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config.Dir, "starting-over"), []byte("moved"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := engine.New("moved")
	got := collect[string](t)
	interruptible(p, 100, got.sink)
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	if values := got.all(); len(values) != 100 || values[0] != "0=0" {
		t.Errorf("%d values", len(values))
	}
}
