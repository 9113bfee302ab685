package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/supervise"
)

// An error may hold the whole message, and a key may be as long as it may: the
// message becomes a letter all the same, and the stage goes on. What is kept of
// the attempts outlives the process with the key as it was.
func TestLetterOfALargeError(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("\x00\xff\u202e", 1<<18)
	key := strings.Repeat("\xfe", 64_000)
	for name, fail := range map[string]func(text string) error{
		"error": func(text string) error {
			return fmt.Errorf("%s: %w", text, errors.Join(errors.New(text), errors.New(text)))
		},
		"panic": func(text string) error { panic(errors.New(text)) },
		"value": func(text string) error { panic(text) },
	} {
		if testing.Short() && name != "error" {
			continue // much the same
		}
		everyWay(t, func(t *testing.T, way engine.Option) {
			dir := t.TempDir()
			wire := func(stop func()) *engine.Pipeline {
				p := engine.New("large")
				type place struct{ Next int }
				list := []string{"first", large, "last"}
				texts := engine.Source(p, "texts", func(ctx context.Context, at *place, emit engine.Emit[string]) error {
					if at.Next == len(list) {
						return io.EOF
					}
					emit(list[at.Next])
					at.Next++
					return nil
				})
				engine.Sink(p.With(fast, way, engine.Attempts(40)), "sink", engine.KeyBy(texts, func(string) string { return key }),
					func(_ context.Context, n *int, m engine.Message[string]) error {
						if m.Value == large {
							if m.Attempt == 25 {
								stop()
							}
							return fail(m.Value)
						}
						*n++
						return nil
					})
				return p
			}
			ctx, stop := bounded(t)
			defer stop()
			p := wire(stop)
			config := testConfig(t, dir)
			config.DrainTimeout = 1
			if err := p.Run(ctx, config); err != nil {
				t.Fatal(err)
			}
			status := p.Status()
			if !status.Completed {
				status = run(t, wire(func() {}), dir)
			}
			if s := stageStatus(t, status, "sink"); s.DeadLetters != 1 || s.In != 3 {
				t.Errorf("%+v", s)
			}
			letters := lettersIn(t, dir, "large")
			if len(letters) != 1 {
				t.Fatalf("%d letters", len(letters))
			}
			l := letters[0]
			if string(l.Value) != large || l.Key != key || len(l.Attempts)+l.AttemptsOmitted != 40 || !strings.Contains(l.Error, "cut, ") {
				t.Errorf("%s: %d bytes, %d bytes of key, %d+%d attempts, error %.100q", name, len(l.Value), len(l.Key), len(l.Attempts), l.AttemptsOmitted, l.Error)
			}
		})
	}
}

// The largest value that fits under the longest key leaves room for its letter.
func TestLetterOfTheLargestMessage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := strings.Repeat("k", 64_000)
	size := 64 << 20
	wire := func() *engine.Pipeline {
		p := engine.New("largest")
		type place struct{ Done bool }
		texts := engine.Source(p, "texts", func(_ context.Context, at *place, emit engine.Emit[string]) error {
			if at.Done {
				return io.EOF
			}
			emit(strings.Repeat("v", size))
			at.Done = true
			return nil
		})
		engine.Sink(p.With(engine.Attempts(1), engine.AttemptDelay(supervise.Immediate())), "sink", engine.KeyBy(texts, func(string) string { return key }),
			func(context.Context, *int, engine.Message[string]) error { panic(strings.Repeat("\x00", 1<<20)) })
		return p
	}
	var tooLarge *engine.TooLargeError
	if err := runFailing(t, wire(), dir); !errors.As(err, &tooLarge) {
		t.Fatal(err)
	}
	size = tooLarge.Limit
	status := run(t, wire(), dir)
	if s := stageStatus(t, status, "sink"); s.DeadLetters != 1 || s.In != 1 {
		t.Errorf("%+v", s)
	}
	l := lettersIn(t, dir, "largest")[0]
	if len(l.Value) != size || l.Key != key || l.Reason != "panic" {
		t.Errorf("%d bytes, %d bytes of key, %s", len(l.Value), len(l.Key), l.Reason)
	}
}
