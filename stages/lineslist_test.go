package stages_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"penstock/engine"
	"penstock/stages"
)

// A list that is too long to be kept as a whole is not named, but is noticed.
func TestChangesOfALongListAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(root string) error
		want   []string
	}{
		"gone before":   {func(root string) error { return os.Remove(filepath.Join(root, "file-00100")) }, []string{"before", "were 1000", "are 999"}},
		"new before":    {func(root string) error { return os.WriteFile(filepath.Join(root, "a"), nil, 0o600) }, []string{"before", "are 1001"}},
		"gone behind":   {func(root string) error { return os.Remove(filepath.Join(root, "file-01900")) }, []string{"file-01000", "on changed", "are 1999"}},
		"edited before": {func(root string) error { return overwrite(filepath.Join(root, "file-00500"), 0, "X") }, []string{"1000 files before", "written to"}},
		"nothing":       {func(string) error { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for i := range 2000 {
				writeFile(t, filepath.Join(root, fmt.Sprintf("file-%05d", i)), fmt.Sprintf("line %05d\n", i))
			}
			var state stages.LinesState
			if _, err := aLife(t, stages.Lines(root), &state, contains("line 00999")); err != nil {
				t.Fatal(err)
			}
			// The call went on to the end of its budget: the place is made exact.
			state = placeAt(t, root, "line 00999")
			if err := test.change(root); err != nil {
				t.Fatal(err)
			}
			_, err := aLife(t, stages.Lines(root), &state, nothing)
			if test.want == nil {
				if err != io.EOF {
					t.Error(err)
				}
				return
			}
			wantError(t, err, test.want...)
		})
	}
}

// placeAt reads until the call after which a line has come: a call reads at most
// 1,000 lines or ends of files.
func placeAt(t *testing.T, root, last string) (state stages.LinesState) {
	t.Helper()
	for {
		seen := false
		err := stages.Lines(root)(t.Context(), &state, func(line string, _ ...engine.EmitOption) { seen = seen || line == last })
		if err != nil {
			t.Fatal(err)
		}
		if seen {
			return state
		}
	}
}

func TestTheStateOfASourceOfLinesStaysSmall(t *testing.T) {
	t.Parallel()
	for _, files := range []int{1, 30, 100, 3000} {
		root := t.TempDir()
		for i := range files {
			writeFile(t, filepath.Join(root, fmt.Sprintf("a directory with a name %02d", i%50), fmt.Sprintf("a file with a name %06d", i)), "one\ntwo\n")
		}
		var state stages.LinesState
		most := 0
		for err := error(nil); err == nil; {
			err = stages.Lines(root)(t.Context(), &state, func(string, ...engine.EmitOption) {})
			most = max(most, len(encoded(t, state)))
		}
		if most > 4<<10 {
			t.Errorf("%d bytes of state for %d files", most, files)
		}
	}
}
