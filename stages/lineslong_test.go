package stages_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/stages"
)

func TestLinesThatAreTooLongAreLeftOutAndCounted(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, test := range map[string]struct {
		content string
		want    []string
		skipped uint64
	}{
		"in the middle":       {"a\n" + long(11) + "\nb\n", []string{"a", "b"}, 1},
		"the first":           {long(11) + "\nb\n", []string{"b"}, 1},
		"the last":            {"a\n" + long(11), []string{"a"}, 1},
		"just not":            {long(10) + "\n" + long(10), []string{long(10), long(10)}, 0},
		"several":             {strings.Repeat(long(11)+"\nok\n", 3), []string{"ok", "ok", "ok"}, 3},
		"longer than a call":  {"a\n" + long(1<<20) + "\nb\n" + long(300_000), []string{"a", "b"}, 2},
		"as long as a buffer": {long(64<<10) + "\nb\n" + long(64<<10-1) + "\nc\n", []string{"b", "c"}, 2},
		"ends with a buffer":  {"a\n" + long(2*64<<10-2), []string{"a"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			writeFile(t, filepath.Join(root, "a"), test.content)
			writeFile(t, filepath.Join(root, "b"), "behind\n")
			read := stages.Files{Roots: []string{root}, MaxLine: 10, LongLines: stages.SkipLongLines}.Lines()
			for _, again := range []bool{false, true} {
				var state stages.LinesState
				var got []string
				for err := error(nil); err == nil; {
					size := 0
					err = read(t.Context(), &state, func(line string, _ ...engine.EmitOption) { got, size = append(got, line), size+len(line) })
					if err != nil && err != io.EOF {
						t.Fatal(err)
					}
					if again {
						state = saved(t, state)
					}
				}
				if !slices.Equal(got, append(slices.Clone(test.want), "behind")) || state.Skipped != test.skipped {
					t.Errorf("%.100q, %d left out", got, state.Skipped)
				}
			}
		})
	}
}

// A call stays bounded within a line without end.
func TestALineWithoutEndIsLeftOutInManyCalls(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file"), strings.Repeat("x", 1<<20))
	read := stages.Files{Roots: []string{path}, MaxLine: 10, LongLines: stages.SkipLongLines}.Lines()
	var state stages.LinesState
	calls := 1
	for read(t.Context(), &state, func(string, ...engine.EmitOption) {}) == nil {
		calls++
	}
	if calls < 8 || state.Skipped != 1 {
		t.Errorf("%d calls, %d left out", calls, state.Skipped)
	}
}

func TestALongLineIsNamedWithItsSize(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file"), "a\nb\n"+strings.Repeat("x", 10_000_000)+"\nc\n")
	var state stages.LinesState
	err := stages.Lines(path)(t.Context(), &state, func(string, ...engine.EmitOption) {})
	wantError(t, err, path, "line 3", "10000000 bytes", fmt.Sprint(1<<20), "Files.MaxLine")
}

// A long line becomes a letter with its beginning, once, also when it is longer
// than a call reads and when the run is interrupted; what is skipped is counted.
func TestLongLinesAsLettersAndInTheStatus(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file"), "a\n"+strings.Repeat("x", 50)+"\nb\n"+strings.Repeat("y", 1<<20)+"\nc\n"+strings.Repeat("z", 11))
	for policy, want := range map[stages.LongLines]struct{ letters, dropped uint64 }{
		stages.SkipLongLines: {0, 3}, stages.LetterLongLines: {3, 0},
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			var got []string
			p := engine.New("long")
			lines := engine.Source(p, "lines", stages.Files{Roots: []string{path}, MaxLine: 10, LongLines: policy}.Lines())
			engine.Sink(p, "sink", lines, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
				got = append(got, m.Value)
				return nil
			})
			dir := t.TempDir()
			s := stageStatus(t, run(t, p, dir), "lines")
			if !slices.Equal(got, []string{"a", "b", "c"}) || s.DeadLetters != want.letters || s.Dropped != want.dropped {
				t.Errorf("%q, %d letters, %d dropped", got, s.DeadLetters, s.Dropped)
			}
			kept := lettersIn(t, dir)
			if len(kept) != int(want.letters) {
				t.Fatalf("%d letters", len(kept))
			}
			for n, l := range kept {
				line := []struct {
					value string
					error []string
				}{
					{strings.Repeat("x", 50), []string{"line 2, at byte 2, has 50 bytes"}},
					{strings.Repeat("y", 64<<10), []string{"line 4, at byte 55, has more than"}},
					{strings.Repeat("z", 11), []string{"line 6,", "has 11 bytes"}},
				}[n]
				if string(l.Value) != line.value {
					t.Errorf("letter %d has %d bytes", n, len(l.Value))
				}
				wantError(t, errors.New(l.Error), append(line.error, path, "limit is 10")...)
			}
		})
	}
}

func lettersIn(t *testing.T, dir string) (letters []dlq.Letter) {
	t.Helper()
	i, err := inspect.Open(t.Context(), inspect.Config{Dir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	queue, found, err := i.ReadDeadLetters(t.Context())
	if err != nil || !found {
		t.Fatalf("dead letters: found %v, %v", found, err)
	}
	if err := queue.Each(t.Context(), func(l dlq.Letter) error { letters = append(letters, l); return nil }); err != nil {
		t.Fatal(err)
	}
	return letters
}

// A place in the middle of a long line goes on there, and makes no second letter.
func TestALongLineIsOneLetterOverManyLives(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file"), strings.Repeat("x", 1<<20)+"\nb\n")
	read := stages.Files{Roots: []string{path}, MaxLine: 10, LongLines: stages.LetterLongLines}.Lines()
	var state stages.LinesState
	var got []string
	letters := 0
	for {
		state = saved(t, state)
		err := read(t.Context(), &state, func(line string, _ ...engine.EmitOption) { got = append(got, line) })
		if err == io.EOF {
			break
		}
		if err != nil {
			letters++
		}
	}
	if letters != 1 || state.Skipped != 0 || !slices.Equal(got, []string{"b"}) || state.Line != 2 {
		t.Errorf("%d letters, %q, %+v", letters, got, state)
	}
}

func TestAnUnknownPolicyForLongLinesIsRefused(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file"), "a\n")
	err := stages.Files{Roots: []string{path}, LongLines: "drop"}.Lines()(t.Context(), new(stages.LinesState), nil)
	wantError(t, err, "drop", "stop", "skip")
}
