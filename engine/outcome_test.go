package engine_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// An answer that was given no error says so, wherever it is given.
func TestAnswerWithoutAReason(t *testing.T) {
	t.Parallel()
	for text, answer := range map[string]func() error{
		"rejected without a reason":        func() error { return engine.Reject(nil) },
		"rejected without a reason ":       func() error { return engine.RejectValue([]byte("x"), nil) },
		"failed for good without a reason": func() error { return engine.Fatal(nil) },
		"unavailable without a reason":     func() error { return engine.Unavailable(nil) },
	} {
		text = strings.TrimSpace(text)
		if err := answer(); err.Error() != text {
			t.Errorf("%q, not %q", err, text)
		}
		for _, where := range []string{"source", "stage", "timer", "start", "end", "before commit"} {
			t.Run(where+" "+text, func(t *testing.T) {
				t.Parallel()
				answerOnce(t, where, text, answer())
			})
		}
	}
}

// answerOnce gives the answer in one call of a pipeline, which goes on or stops
// by an error that tells of it.
func answerOnce(t *testing.T, where, text string, answer error) {
	given := false
	give := func(here string) error {
		if here != where || given {
			return nil
		}
		given = true
		return answer
	}
	p := engine.New("untold")
	scope := p.With(fast, engine.UnavailableBackoff(supervise.Immediate()))
	numbers := engine.Source(scope, "numbers", func(_ context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 5 {
			return io.EOF
		}
		at.Next++
		emit(at.Next)
		if at.Next == 3 {
			return give("source")
		}
		return nil
	})
	ticked := false
	engine.Sink(scope, "sink", numbers, func(_ context.Context, n *int, m engine.Message[uint64]) error {
		*n++
		if m.Value == 3 {
			return give("stage")
		}
		if m.Value == 5 && !ticked {
			return engine.Snooze(time.Millisecond)
		}
		return nil
	}, engine.Every(time.Millisecond, func(context.Context, *int, time.Time, engine.Emit[engine.None]) error {
		err := give("timer")
		ticked = err == nil
		return err
	}), engine.Hooks[int, engine.None]{
		Start:        func(context.Context, *int, engine.Emit[engine.None]) error { return give("start") },
		End:          func(context.Context, *int, engine.Emit[engine.None]) error { return give("end") },
		BeforeCommit: func(context.Context, *int) error { return give("before commit") },
	})
	dir := t.TempDir()
	err := runBounded(t, p, testConfig(t, dir))
	if !given {
		t.Error("the answer was not given")
	}
	if err != nil && (!strings.Contains(err.Error(), text) || errors.Is(err, context.DeadlineExceeded)) {
		t.Errorf("error %v", err)
	}
	for _, l := range lettersIn(t, dir, "untold") {
		if l.Error != text {
			t.Errorf("a letter says %q", l.Error)
		}
	}
}
