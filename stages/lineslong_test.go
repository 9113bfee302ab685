package stages_test

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/engine"
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
	wantError(t, err, path, "line 3", "10000000 bytes", fmt.Sprint(1<<20), "--max-line")
}

func TestAnUnknownPolicyForLongLinesIsRefused(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file"), "a\n")
	err := stages.Files{Roots: []string{path}, LongLines: "drop"}.Lines()(t.Context(), new(stages.LinesState), nil)
	wantError(t, err, "drop", "stop", "skip")
}
