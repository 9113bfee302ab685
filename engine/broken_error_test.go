package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/supervise"
)

// brokenError panics when the text of a nil pointer to it is asked for, as most types of errors do.
type brokenError struct{ text string }

func (e *brokenError) Error() string { return e.text }

// noError is such a pointer.
func noError() error { var e *brokenError; return e }

// selfish wraps itself.
type selfish struct{}

func (selfish) Error() string { return "selfish" }
func (selfish) Unwrap() error { return selfish{} }

// picky panics when it is compared with an error of another type.
type picky struct{ code int }

func (p picky) Error() string        { return fmt.Sprint("picky ", p.code) }
func (p picky) Is(target error) bool { return target.(picky).code == p.code }

// rude is a value whose text panics.
type rude struct{}

func (rude) String() string { panic("no text") }

// Wherever the user's code returns an error that panics, only that stage restarts, and nothing is lost or doubled.
func TestAnErrorThatPanicsIsContained(t *testing.T) {
	t.Parallel()
	for _, spot := range []string{
		"source", "append place", "append references", "message", "timer", "start", "before commit",
		"end", "stop", "append state", "append output", "append keyed state", "keyed end", "batch",
	} {
		for way, broken := range map[string]error{"nil pointer": noError(), "wraps itself": selfish{}, "cannot be compared": picky{7}} {
			t.Run(spot+"/"+way, func(t *testing.T) {
				t.Parallel()
				x := newTrouble(spot, "panic")
				x.fail = func(*trouble) error { return broken }
				defer x.release()
				p := newTroubledPipeline(t, x)
				dir := t.TempDir()
				config := testConfig(t, dir)
				config.Sync = time.Minute
				if err := runBounded(t, p.Pipeline, config); err != nil || !p.Status().Completed {
					t.Fatalf("run: %v, %+v", err, p.Status())
				}
				p.check(t, troubledSpots[spot])
				p.checkOutputs(t, dir)
			})
		}
	}
}

// A message whose error cannot be used, or has a strange text, becomes a dead letter like any other; the rest goes on.
func TestLetterOfAStrangeError(t *testing.T) {
	t.Parallel()
	const nilPointer = "error *engine_test.brokenError: its Error method panicked: runtime error: invalid memory address"
	large := strings.Repeat("long ", 2<<20)
	for name, c := range map[string]struct {
		fail   func() error
		reason dlq.Reason
		text   string
	}{
		"nil pointer":          {noError, dlq.ReasonPanic, nilPointer},
		"panic of it":          {func() error { panic(noError()) }, dlq.ReasonPanic, nilPointer},
		"wrapped":              {func() error { return fmt.Errorf("order 7: %w", noError()) }, dlq.ReasonPanic, "order 7: <nil>): " + nilPointer},
		"joined":               {func() error { return errors.Join(errPoison, noError()) }, dlq.ReasonPanic, "joinError: its Error method panicked"},
		"wraps itself":         {func() error { return selfish{} }, dlq.ReasonPanic, "selfish): it wraps more than"},
		"cannot be compared":   {func() error { return picky{7} }, dlq.ReasonPanic, "picky 7): its Is method panicked"},
		"rejected":             {func() error { return engine.Reject(noError()) }, dlq.ReasonRejected, nilPointer},
		"rejected, itself":     {func() error { return engine.Reject(selfish{}) }, dlq.ReasonRejected, "it wraps more than"},
		"panic without a text": {func() error { panic(rude{}) }, dlq.ReasonPanic, "no text"},
		"empty":                {func() error { return errors.New("") }, dlq.ReasonError, ""},
		"no UTF-8":             {func() error { return errors.New("a\xffb") }, dlq.ReasonError, "b"},
		"large":                {func() error { return errors.New(large) }, dlq.ReasonError, "long …[cut, 10485760 bytes in all]"},
		"panic with much":      {func() error { panic(large) }, dlq.ReasonPanic, "bytes in all]"},
	} {
		for way, option := range map[string]engine.Option{"restart": engine.Attempts(2), "here": engine.AttemptDelay(supervise.Immediate())} {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				p := engine.New("strange")
				numbers := engine.Source(p, "numbers", count(20, 1))
				sum := uint64(0)
				engine.Sink(p.With(fast, option), "worker", numbers, func(_ context.Context, s *uint64, m engine.Message[uint64]) error {
					if m.Value == 7 {
						return c.fail()
					}
					*s += m.Value
					sum = *s
					return nil
				})
				var letters []dlq.Letter
				var log bytes.Buffer
				config := testConfig(t, t.TempDir())
				config.Logger = slog.New(slog.NewJSONHandler(&log, nil))
				config.OnDeadLetter = func(l dlq.Letter) { letters = append(letters, l) }
				if err := runBounded(t, p, config); err != nil || !p.Status().Completed {
					t.Fatalf("run: %v, %+v", err, p.Status())
				}
				if sum != 190-7 || len(letters) != 1 {
					t.Fatalf("the sum is %d, %d letters", sum, len(letters))
				}
				if l := letters[0]; l.Reason != c.reason || !strings.Contains(l.Error, c.text) || len(l.Error) > dlq.MaxText {
					t.Errorf("letter: %s, %q", l.Reason, l.Error)
				}
				if log.Len() > 256<<10 {
					t.Errorf("the log has %d bytes", log.Len())
				}
			})
		}
	}
}

// What an answer says holds, also if the error that it is given panics.
func TestAnAnswerWithAnErrorThatPanics(t *testing.T) {
	t.Parallel()
	p := engine.New("answers")
	numbers := engine.Source(p, "numbers", count(20, 1))
	tries := 0
	engine.Sink(p.With(fast), "worker", numbers, func(_ context.Context, _ *uint64, m engine.Message[uint64]) error {
		switch {
		case m.Value == 7 && tries < 2:
			tries++
			return engine.Unavailable(noError())
		case m.Value == 9:
			return engine.Fatal(noError())
		}
		return nil
	})
	err := runFailing(t, p, t.TempDir())
	if !strings.Contains(err.Error(), "brokenError: its Error method panicked") {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "worker"); s.Errors+s.Panics > 1 || s.Unavailable != 2 || s.DeadLetters != 0 {
		t.Errorf("%+v", s)
	}
}

// askedError counts how often it is asked for what only a look at the soundness of errors asks.
type askedError struct{ looks *atomic.Int64 }

func (askedError) Error() string { return "asked" }

func (e askedError) As(target any) bool {
	if reflect.TypeOf(target).Elem().String() == "*supervise.brokenError" {
		e.looks.Add(1)
	}
	return false
}

// Whether an error can be used is asked once: it may be large.
func TestAnErrorIsLookedAtOnce(t *testing.T) {
	t.Parallel()
	p := engine.New("looks")
	numbers := engine.Source(p, "numbers", count(20, 1))
	var looks, fails atomic.Int64
	engine.Sink(p.With(engine.AttemptDelay(supervise.Immediate())), "worker", numbers, func(_ context.Context, _ *uint64, m engine.Message[uint64]) error {
		if m.Value%7 == 0 {
			fails.Add(1)
			return askedError{&looks}
		}
		return nil
	})
	if err := runBounded(t, p, testConfig(t, t.TempDir())); err != nil || !p.Status().Completed {
		t.Fatalf("run: %v, %+v", err, p.Status())
	}
	if fails.Load() != 9 || looks.Load() != fails.Load() {
		t.Errorf("%d failures were looked at %d times", fails.Load(), looks.Load())
	}
}
