package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
)

// withLetters calls fn with the dead letters of a pipeline that is not running.
func withLetters(t *testing.T, dir string, fn func(q *dlq.Queue)) {
	t.Helper()
	withLettersOf(t, testConfig(t, dir), fn)
}

func withLettersOf(t *testing.T, config engine.Config, fn func(q *dlq.Queue)) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inspector.Close() }()
	q, found, err := inspector.DeadLetters(t.Context())
	if err != nil || !found {
		t.Fatal(found, err)
	}
	fn(q)
}

// lettersOf exports the letters of a pipeline that is not running.
func lettersOf(t *testing.T, dir string) (file string) {
	t.Helper()
	withLetters(t, dir, func(q *dlq.Queue) {
		var out strings.Builder
		if _, err := q.Export(t.Context(), dlq.Filter{}, &out); err != nil {
			t.Fatal(err)
		}
		file = out.String()
	})
	return file
}

// refusals imports lines, and returns why some were refused.
func refusals(t *testing.T, dir, file string, force bool) (n dlq.Imported, why []string) {
	t.Helper()
	withLetters(t, dir, func(q *dlq.Queue) {
		var err error
		n, err = q.Import(t.Context(), strings.NewReader(file), dlq.ImportOptions{Force: force, Refused: func(_ int, _ dlq.Letter, err error) error {
			why = append(why, err.Error())
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	})
	return n, why
}

// sinkWithLetters is numbers -> sink, which fails at each tenth number until it is mended.
func sinkWithLetters(name string, broken bool) *engine.Pipeline {
	p := engine.New(name)
	numbers := engine.Source(p, "numbers", count(40, 7))
	engine.Sink(p.With(fast), "sink", numbers, func(_ context.Context, n *int, m engine.Message[uint64]) error {
		if broken && m.Value%10 == 3 {
			return errors.New("no threes")
		}
		*n++
		return nil
	})
	return p
}

// What was replayed is not taken again by an import, and so not processed twice.
func TestAnImportDoesNotProcessTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, sinkWithLetters("imports", true), dir)
	file := lettersOf(t, dir)
	if n, why := refusals(t, dir, file, false); n != (dlq.Imported{There: 4}) {
		t.Fatalf("letters that are there: %+v, %v", n, why)
	}
	replayAll(t, dir)
	run(t, sinkWithLetters("imports", false), dir)
	n, why := refusals(t, dir, file, false)
	if n != (dlq.Imported{Refused: 4}) || !strings.Contains(why[0], "was replayed or discarded") || !strings.Contains(why[0], "ImportOptions.Force") {
		t.Errorf("%+v, %v", n, why)
	}
	if asked := replayAll(t, dir); asked != 0 {
		t.Errorf("%d letters are there", asked)
	}
	if handled := committedState[int](t, dir, "sink")[""]; handled != 40 {
		t.Errorf("%d of 40 messages were handled", handled)
	}
}

// An import takes no letter that the run cannot have had, whatever is forced.
func TestAnImportRefusesImpossibleLetters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, sinkWithLetters("impossible", true), dir)
	line, _, _ := strings.Cut(lettersOf(t, dir), "\n")
	for want, edits := range map[string][]string{
		"stage sink has not taken message 40 of numbers, it has taken those below 40": {`numbers.0:3"`, `numbers.0:40"`, `"offset":3,`, `"offset":40,`},
		`has no stage "sinks", it has numbers, sink`:                                  {`"id":"sink.0`, `"id":"sinks.0`, `"stage":"sink"`, `"stage":"sinks"`},
		"stage sink has no instance 1":                                                {`"id":"sink.0`, `"id":"sink.1`, `"instance":0`, `"instance":1`},
		"numbers has no instance 2":                                                   {`numbers.0:3"`, `numbers.2:3"`, `"inputInstance":0`, `"inputInstance":2`},
		"sink does not read letters, it reads numbers":                                {`numbers.0:3"`, `letters.0:3"`, `"input":"numbers"`, `"input":"letters"`},
	} {
		n, why := refusals(t, dir, strings.NewReplacer(edits...).Replace(line), true)
		if n.Refused != 1 || !strings.Contains(why[0], want) {
			t.Errorf("%+v, %v; want %s", n, why, want)
		}
	}
}

// A replay that no stage can take is refused when it is asked for.
func TestAReplayThatNoStageCanTakeIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, sinkWithLetters("untakable", true), dir)
	withLetters(t, dir, func(q *dlq.Queue) {
		l, _, err := q.Get(t.Context(), "sink.0:numbers.0:3")
		if err != nil {
			t.Fatal(err)
		}
		for to, want := range map[string]string{"sinks": "no stage", "numbers": "is a source"} {
			err := q.Replay(t.Context(), l, dlq.ReplayOptions{To: to})
			if !errors.Is(err, dlq.ErrInvalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "ReplayOptions.To") {
				t.Errorf("to %s: %v", to, err)
			}
		}
		if pending, err := q.PendingReplays(t.Context()); err != nil || len(pending) > 0 {
			t.Errorf("%v, %v", pending, err)
		}
	})
}
