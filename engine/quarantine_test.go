package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/internal/inflight"
	"penstock/engine/observe"
)

// guarded is a pipeline whose sink stops at a message, so that a test can have
// the process die there.
type guarded struct {
	dir  string
	log  logged // of all runs
	stop atomic.Bool
	fail atomic.Bool // the first attempt at that message is an error
	got  []uint64    // by the sink, in the last run
}

const fatalNumber = 50

func (g *guarded) run(t *testing.T) observe.Status {
	t.Helper()
	g.got = nil
	p := engine.New("guarded")
	numbers := engine.Source(p, "numbers", count(100, 10))
	reached := make(chan struct{}, 1)
	engine.Sink(p.With(fast, engine.Attempts(2)), "sink", numbers, func(ctx context.Context, n *uint64, m engine.Message[uint64]) error {
		if m.Value == fatalNumber && g.fail.Load() && m.Attempt == 1 {
			return errors.New("not yet")
		}
		if m.Value == fatalNumber && g.stop.Load() {
			reached <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		g.got = append(g.got, m.Value)
		*n++
		return nil
	})
	config := testConfig(t, g.dir)
	config.Logger = g.log.logger()
	if !g.stop.Load() {
		if err := runBounded(t, p, config); err != nil {
			t.Fatal(err)
		}
		return p.Status()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	config.DrainTimeout = time.Millisecond
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, config) }()
	select {
	case <-reached:
	case err := <-ended:
		t.Fatalf("the run ended before %d: %v", fatalNumber, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return p.Status()
}

// inFlight is the file that a process leaves which died in these calls.
func (g *guarded) inFlight() string { return filepath.Join(g.dir, "in-flight") }

func died(t *testing.T, path string, offsets map[string]uint64) {
	t.Helper()
	diedIn(t, path, inflight.Message, offsets)
}

func diedIn(t *testing.T, path string, kind inflight.Kind, offsets map[string]uint64) {
	t.Helper()
	f, _, err := inflight.Open(path, []string{"numbers.0", "sink.0", "slow.0"})
	if err != nil {
		t.Fatal(err)
	}
	for name, offset := range offsets {
		f.Slot(name).Enter(kind, 0, offset, 1)
	}
	data := contents(t, path)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, data)
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

const lastDeath = "the process died at the last attempt of this message"

// The log claims no more than is known: an unclean stop first, then an attempt, and
// a guilty message only when it has no attempt left.
func TestUncleanStopBlamesNobody(t *testing.T) {
	t.Parallel()
	g := &guarded{dir: t.TempDir()}
	g.stop.Store(true)
	g.run(t)
	for death, want := range []string{
		"the previous process died while messages were being handled",
		"this counts as a failed attempt of the message",
		lastDeath,
	} {
		before := len(g.log.String())
		died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
		g.stop.Store(death < 2)
		g.run(t)
		text := g.log.String()[before:]
		if !strings.Contains(text, want) || strings.Contains(text, "died of") {
			t.Errorf("after death %d:\n%s", death+1, text)
		}
		if death < 2 && strings.Contains(text, "level=ERROR") {
			t.Errorf("an error after death %d:\n%s", death+1, text)
		}
	}
}

// A death counts together with what a message failed at before, and the log does not call those deaths.
func TestDeathUsesUpTheAttemptsOfAMessageThatFailed(t *testing.T) {
	t.Parallel()
	g := &guarded{dir: t.TempDir()}
	g.fail.Store(true)
	g.stop.Store(true)
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	g.stop.Store(false)
	s := stageStatus(t, g.run(t), "sink")
	if s.DeadLettersBy[string(dlq.ReasonKilled)] != 1 || s.Killed != 1 || slices.Contains(g.got, fatalNumber) {
		t.Errorf("%+v; got %v", s, g.got)
	}
	if text := g.log.String(); !strings.Contains(text, lastDeath) || strings.Contains(text, "every attempt") {
		t.Errorf("the log: %s", text)
	}
}

// The first death makes a message suspect, and those after it are its attempts.
func TestMessageThatKillsIsDiverted(t *testing.T) {
	t.Parallel()
	g := &guarded{dir: t.TempDir()}
	g.stop.Store(true)
	g.run(t)
	for range 2 {
		died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
		g.run(t)
	}
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	g.stop.Store(false)
	s := stageStatus(t, g.run(t), "sink")
	if slices.Contains(g.got, fatalNumber) || g.got[len(g.got)-1] != 99 {
		t.Errorf("the sink got %v", g.got)
	}
	if s.DeadLetters != 1 || s.DeadLettersBy[string(dlq.ReasonKilled)] != 1 || s.Killed != 2 {
		t.Errorf("%+v", s)
	}
	if n := committedState[uint64](t, g.dir, "sink")[""]; n != 99 {
		t.Errorf("the sink took %d messages, want 99", n)
	}
}

// A process that dies before it has begun finds the same death as the one
// before it, and does not blame the message once more.
func TestDeathCountsOnce(t *testing.T) {
	t.Parallel()
	g := &guarded{dir: t.TempDir()}
	g.stop.Store(true)
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	last := contents(t, g.inFlight())
	for range 3 {
		g.run(t)
		write(t, g.inFlight(), last)
	}
	g.stop.Store(false)
	if s := stageStatus(t, g.run(t), "sink"); s.DeadLetters != 0 || s.Killed != 1 || !slices.Contains(g.got, fatalNumber) {
		t.Errorf("%+v; got %v", s, g.got)
	}
}

// A death that comes when the message has left the user's code for a while is
// not held against it as long as it is one of many, and is when it comes back.
func TestLateDeathsCountOnceTheyAreExpected(t *testing.T) {
	t.Parallel()
	g := &guarded{dir: t.TempDir()}
	g.stop.Store(true)
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	for range 4 {
		g.run(t)
		diedIn(t, g.inFlight(), inflight.After, map[string]uint64{"sink.0": fatalNumber})
	}
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	g.stop.Store(false)
	if s := stageStatus(t, g.run(t), "sink"); s.Killed != 1 || s.DeadLetters != 0 || !slices.Contains(g.got, fatalNumber) {
		t.Errorf("%+v", s)
	}
}

// Who stopped in good order has no suspects.
func TestOrderlyStopClearsTheSuspects(t *testing.T) {
	t.Parallel()
	g := &guarded{dir: t.TempDir()}
	g.stop.Store(true)
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	g.run(t) // carefully, and stopped
	g.run(t)
	died(t, g.inFlight(), map[string]uint64{"sink.0": fatalNumber})
	g.stop.Store(false)
	if s := stageStatus(t, g.run(t), "sink"); s.Killed != 0 {
		t.Errorf("%+v", s)
	}
}

// A function that hangs in its turn is left behind, and the others get theirs.
func TestHungFunctionGivesUpItsTurn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var sound, hang atomic.Bool
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	wire := func() (*engine.Pipeline, chan struct{}) {
		reached := make(chan struct{}, 2)
		p := engine.New("hang")
		numbers := engine.Source(p, "numbers", count(30, 10))
		stop := func(ctx context.Context, v uint64) error {
			if v != 20 || sound.Load() {
				return nil
			}
			reached <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		short := p.With(fast, engine.Deadline(500*time.Millisecond), engine.StopTimeout(500*time.Millisecond), engine.Attempts(2))
		engine.Sink(short, "slow", numbers, func(ctx context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if m.Value == 20 && hang.Load() {
				<-release
			}
			return stop(ctx, m.Value)
		})
		engine.Sink(p.With(fast), "sink", numbers, func(ctx context.Context, n *uint64, m engine.Message[uint64]) error {
			*n++
			return stop(ctx, m.Value)
		})
		return p, reached
	}
	p, reached := wire()
	ctx, cancel := bounded(t)
	defer cancel()
	config := testConfig(t, dir)
	config.DrainTimeout = time.Millisecond
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, config) }()
	<-reached
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	sound.Store(true)
	hang.Store(true)
	died(t, filepath.Join(dir, "in-flight"), map[string]uint64{"slow.0": 20, "sink.0": 20})
	p, _ = wire()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "slow"); s.DeadLettersBy[string(dlq.ReasonDeadline)] != 1 || s.Abandoned < 2 { // a busy machine may leave one more behind
		t.Errorf("%+v", s)
	}
	if n := committedState[uint64](t, dir, "sink")[""]; n != 30 {
		t.Errorf("the sink took %d messages, want 30", n)
	}
}
