package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// A letter holds everything that is known of its message.
func TestLetterIsComplete(t *testing.T) {
	t.Parallel()
	const attempts = 30
	began := time.Now()
	for name, c := range map[string]struct {
		fail     func(context.Context) error
		options  []engine.Option
		reason   dlq.Reason
		attempts int
		error    string
		panicked string // value, and a function in the stack
		chain    string
	}{
		"panic": {func(context.Context) error { panic("no\x00way") }, nil, dlq.ReasonPanic, 3, "no\x00way", "no\x00way", "PanicError"},
		"panic without restarts": {func(context.Context) error { panic(42) }, []engine.Option{engine.AttemptDelay(supervise.Immediate())},
			dlq.ReasonPanic, 3, "42", "42", "PanicError"},
		"error": {func(context.Context) error { return fmt.Errorf("outer: %w", errors.Join(errPoison, errDown)) }, nil,
			dlq.ReasonError, 3, "outer: poison\nthe other side is down", "", "outer: poison"},
		"rejected": {func(context.Context) error { return engine.Reject(fmt.Errorf("outer: %w", errPoison)) }, nil,
			dlq.ReasonRejected, 1, "outer: poison", "", "outer: poison"},
		"deadline": {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, []engine.Option{engine.Deadline(250 * time.Millisecond), engine.Attempts(2)},
			dlq.ReasonDeadline, 2, "longer than its deadline of 250ms", "", "DeadlineError"},
		"many attempts": {func(context.Context) error { return errPoison }, []engine.Option{engine.Attempts(attempts)},
			dlq.ReasonError, attempts, "poison", "", "poison"},
		"goexit": {func(context.Context) error { runtime.Goexit(); return nil }, nil, dlq.ReasonPanic, 3, "Goexit", "Goexit", "PanicError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("complete")
			numbers := engine.Source(p, "numbers", count(20, 3))
			keyed := engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint("key ", v%2) })
			var at time.Time
			engine.Sink(p.With(append([]engine.Option{fast}, c.options...)...), "worker", keyed,
				func(ctx context.Context, _ *int, m engine.Message[uint64]) error {
					if m.Value != 7 {
						return nil
					}
					at = m.Time
					return c.fail(ctx)
				})
			dir := t.TempDir()
			run(t, p, dir)
			letters := lettersIn(t, dir, "complete")
			if len(letters) != 1 {
				t.Fatalf("%+v", letters)
			}
			l := letters[0]
			if l.ID() != "worker.0:numbers.0:7" || l.Pipeline != "complete" || l.Stage != "worker" || l.Instance != 0 || l.Input != "numbers" ||
				l.InputInstance != 0 || l.Offset != 7 || l.Key != "key 1" || l.Codec != "uint64" || string(l.Value) != "\a\x00\x00\x00\x00\x00\x00\x00" ||
				!l.Time.Equal(at) || l.Round != 1 || l.History != nil || l.Edited || l.To != "" || l.Version == "" {
				t.Errorf("%+v", l)
			}
			if l.Reason != c.reason || !strings.Contains(l.Error, c.error) || l.Panic != c.panicked && !strings.Contains(l.Panic, c.panicked) ||
				!strings.Contains(strings.Join(l.Chain, "\n"), c.chain) {
				t.Errorf("%s: %q, panic %q, chain %q", l.Reason, l.Error, l.Panic, l.Chain)
			}
			if hasStack := strings.Contains(l.Stack, "letters_test.go"); hasStack != (c.panicked != "") {
				t.Errorf("stack %q", l.Stack)
			}
			if len(l.Attempts)+l.AttemptsOmitted != c.attempts {
				t.Errorf("%d attempts, %d omitted", len(l.Attempts), l.AttemptsOmitted)
			}
			for k, a := range l.Attempts {
				if a.Time.Before(began) || a.Time.After(l.At) || k > 0 && a.Time.Before(l.Attempts[k-1].Time) || !strings.Contains(a.Error, c.error) {
					t.Errorf("attempt %d: %+v", k+1, a)
				}
			}
			if l.At.Before(began) || l.At.After(time.Now()) {
				t.Errorf("written %v", l.At)
			}
		})
	}
}

// Of very many attempts the first and the last are kept.
func TestLetterHasTheLastAttempts(t *testing.T) {
	t.Parallel()
	p := engine.New("last")
	n := 0
	engine.Sink(p.With(fast, engine.Attempts(100), engine.AttemptDelay(supervise.Immediate())), "sink", engine.Source(p, "numbers", count(1, 1)),
		func(context.Context, *int, engine.Message[uint64]) error { n++; return fmt.Errorf("failure %d", n) })
	dir := t.TempDir()
	run(t, p, dir)
	l := lettersIn(t, dir, "last")[0]
	k := len(l.Attempts)
	if k+l.AttemptsOmitted != 100 || l.Attempts[0].Error != "failure 1" || l.Attempts[k-1].Error != "failure 100" || l.Attempts[k-2].Error != "failure 99" {
		t.Errorf("%d omitted, %+v", l.AttemptsOmitted, l.Attempts)
	}
}

// Who wants to hear of letters hears of each once, after it is kept, and can do
// no harm.
func TestOnDeadLetter(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(){
		"none": func() {}, "panic": func() { panic("in the hook") }, "goexit": func() { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("told")
			numbers := engine.Source(p, "numbers", count(100, 10))
			for _, stage := range []string{"one", "two"} {
				engine.Sink(p.With(engine.AttemptDelay(supervise.Immediate())), stage, numbers, func(_ context.Context, _ *int, m engine.Message[uint64]) error {
					if m.Value%10 == 3 {
						return errPoison
					}
					return nil
				})
			}
			var mu sync.Mutex
			var told []string
			log := &logged{}
			config := testConfig(t, t.TempDir())
			config.Logger = log.logger()
			config.OnDeadLetter = func(l dlq.Letter) {
				queue, err := p.DeadLetters()
				if err != nil {
					t.Error(err)
				}
				if kept, found, err := queue.Get(t.Context(), l.ID()); err != nil || !found || kept.Reason != l.Reason || kept.Error != "poison" {
					t.Errorf("%s is not kept: %v, %+v", l.ID(), err, kept)
				}
				mu.Lock()
				told = append(told, l.ID())
				mu.Unlock()
				harm()
			}
			b := runBeside(t, p, config)
			status := b.complete()
			var want []string
			for _, stage := range []string{"one", "two"} {
				for k := range 10 {
					want = append(want, fmt.Sprintf("%s.0:numbers.0:%d", stage, 10*k+3))
				}
				if s := stageStatus(t, status, stage); s.DeadLetters != 10 || s.DeadLettersBy["error"] != 10 || s.Starts != 1 || s.In != 100 {
					t.Errorf("%+v", s)
				}
				if n := b.told(stage, observe.Diverted); n != 10 {
					t.Errorf("%d events of %s", n, stage)
				}
			}
			slices.Sort(told)
			slices.Sort(want)
			if !slices.Equal(told, want) {
				t.Errorf("told of %v", told)
			}
			if failed := strings.Count(log.String(), `msg="Config.OnDeadLetter failed"`); failed != map[string]int{"none": 0, "panic": 10, "goexit": 10}[name] { // the first five of each stage
				t.Errorf("%d failures in\n%s", failed, log)
			}
		})
	}
}

// The alarm names the letter and the command to look at it.
func TestLetterIsToldOf(t *testing.T) {
	t.Parallel()
	p := engine.New("alert")
	engine.Sink(p.With(fast, engine.Attempts(2)), "sink", engine.Source(p, "numbers", count(10, 1)),
		func(_ context.Context, _ *int, m engine.Message[uint64]) error {
			if m.Value == 3 {
				return errPoison
			}
			return nil
		})
	dir := t.TempDir() + "/it's here"
	log := &logged{}
	config := testConfig(t, dir)
	config.Logger = log.logger()
	b := runBeside(t, p, config)
	b.complete()
	for _, e := range b.events {
		if e.Kind == observe.Diverted && (e.Child != "sink" || e.Detail != "sink.0:numbers.0:3" || e.Time.IsZero()) {
			t.Errorf("%+v", e)
		}
	}
	for _, text := range []string{
		`level=WARN msg="a message became a dead letter" pipeline=alert stage=sink id=sink.0:numbers.0:3 reason=error round=1 attempts=2 error=poison`,
		`show="Queue.Get(\"sink.0:numbers.0:3\")"`, // a program says it in its own words
	} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("the log does not say %s:\n%s", text, log)
		}
	}
}

// Counts by reason are of all runs since the fresh start.
func TestCountsOfLettersSurviveTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wire := func(n uint64, end <-chan struct{}) *engine.Pipeline {
		p := engine.New("counts")
		numbers := engine.Source(p, "numbers", countUntil(n, end))
		fail := func(_ context.Context, _ *int, m engine.Message[uint64]) error {
			switch m.Value % 10 {
			case 1:
				return errPoison
			case 2:
				panic("poison")
			case 3:
				return engine.Reject(errPoison)
			}
			return nil
		}
		going := p.With(engine.Attempts(1), engine.AttemptDelay(supervise.Immediate()))
		engine.Sink(going, "one", numbers, fail)
		engine.Sink(going.With(engine.AtLimit(engine.DropMessage)), "two", numbers, fail)
		return p
	}
	must := func(status observe.Status, tens uint64) {
		t.Helper()
		one, two := stageStatus(t, status, "one"), stageStatus(t, status, "two")
		if want := fmt.Sprintf("map[error:%d panic:%[1]d rejected:%[1]d]", tens); one.DeadLetters != 3*tens || fmt.Sprint(one.DeadLettersBy) != want || one.Dropped != 0 {
			t.Errorf("one: %+v", one)
		}
		if want := fmt.Sprintf("map[rejected:%d]", tens); two.DeadLetters != tens || fmt.Sprint(two.DeadLettersBy) != want || two.Dropped != 2*tens {
			t.Errorf("two: %+v", two)
		}
	}
	b := runBeside(t, wire(50, nil), testConfig(t, dir))
	for _, stage := range []string{"one", "two"} {
		b.until(stage, "has taken what there is", func(s observe.StageStatus) bool { return s.In == 50 })
	}
	b.stop()
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	must(b.p.Status(), 5)
	must(run(t, wire(100, closed()), dir), 10)
}
