package stages_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/stages"
)

// aTree has files a to e and a place in c, of which some is read.
func aTree(t *testing.T) (root string, state *stages.LinesState) {
	t.Helper()
	root = t.TempDir()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		writeFile(t, filepath.Join(root, name), named(name, perFile))
	}
	state = new(stages.LinesState)
	if _, err := aLife(t, stages.Lines(root), state, contains("c line 0001")); err != nil {
		t.Fatal(err)
	}
	if state.Path != filepath.Join(root, "c") || state.Offset == 0 {
		t.Fatalf("the place is %+v", state)
	}
	return root, state
}

// changeOf is something that happens to the files of aTree between two runs.
type changeOf struct {
	do   func(root string) error
	want []string // of the refusal; nil: it goes on
	all  int      // lines that come, in all lives, when it goes on or is accepted
}

var changesOfATree = map[string]changeOf{
	"replaced by a longer one": {func(root string) error {
		return os.WriteFile(filepath.Join(root, "c"), []byte(named("other", 4*perFile)), 0o600)
	}, []string{"/c", "replaced"}, 0},
	"replaced by another file, by its name": {func(root string) error {
		if err := os.WriteFile(filepath.Join(root, "..", "new"), []byte(named("C", perFile)), 0o600); err != nil {
			return err
		}
		return os.Rename(filepath.Join(root, "..", "new"), filepath.Join(root, "c"))
	}, []string{"/c", "replaced"}, 0},
	"changed in the middle of what was read": {func(root string) error {
		return overwrite(filepath.Join(root, "c"), 10_000, "X")
	}, []string{"/c", "changed"}, 0},
	"changed at the beginning, with its size and time as before": {func(root string) error {
		path := filepath.Join(root, "c")
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := overwrite(path, 0, "X"); err != nil {
			return err
		}
		return os.Chtimes(path, time.Time{}, info.ModTime())
	}, []string{"/c", "changed"}, 0},
	"shorter than the place":         {func(root string) error { return os.Truncate(filepath.Join(root, "c"), 100) }, []string{"/c", "100 bytes", "cut"}, 0},
	"gone, and in progress":          {func(root string) error { return os.Remove(filepath.Join(root, "c")) }, []string{"/c is gone"}, 0},
	"gone, and read":                 {func(root string) error { return os.Remove(filepath.Join(root, "a")) }, []string{"/a is gone"}, 0},
	"gone, and not begun":            {func(root string) error { return os.Remove(filepath.Join(root, "e")) }, []string{"/e is gone"}, 0},
	"renamed":                        {func(root string) error { return os.Rename(filepath.Join(root, "e"), filepath.Join(root, "f")) }, []string{"/e is gone", "/f is new"}, 0},
	"a new file before the place":    {func(root string) error { return os.WriteFile(filepath.Join(root, "aa"), []byte("new\n"), 0o600) }, []string{"/aa is new"}, 0},
	"a new file behind the place":    {func(root string) error { return os.WriteFile(filepath.Join(root, "dd"), []byte("new\n"), 0o600) }, []string{"/dd is new"}, 0},
	"a file that was read is edited": {func(root string) error { return overwrite(filepath.Join(root, "b"), 10, "X") }, []string{"/b was written to"}, 0},
	"a file that was read has grown": {func(root string) error { return appendTo(filepath.Join(root, "a"), "more\n") }, []string{"/a was written to"}, 0},

	"nothing":           {func(string) error { return nil }, nil, 5 * perFile},
	"it has grown":      {func(root string) error { return appendTo(filepath.Join(root, "c"), "more\n") }, nil, 5*perFile + 1},
	"it was touched":    {func(root string) error { return os.Chtimes(filepath.Join(root, "c"), time.Time{}, time.Now()) }, nil, 5 * perFile},
	"it was put back":   {func(root string) error { return copyBack(filepath.Join(root, "c")) }, nil, 5 * perFile},
	"one behind it has": {func(root string) error { return appendTo(filepath.Join(root, "d"), "more\n") }, nil, 5*perFile + 1},
}

func TestASourceThatResumesOnOtherFilesIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range changesOfATree {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, state := aTree(t)
			root = filepath.Join(root) // of the change
			before := *state
			if err := change.do(root); err != nil {
				t.Fatal(err)
			}
			for range 2 { // also at the second try
				*state = before
				lines, err := aLife(t, stages.Lines(root), state, nothing)
				if change.want == nil {
					if err != io.EOF || countBefore(before)+len(lines) != change.all {
						t.Errorf("error %v, %d lines after %d, want %d", err, len(lines), countBefore(before), change.all)
					}
					continue
				}
				wantError(t, err, append(change.want, "Config.Fresh", "Files.AcceptChanges")...)
				if len(lines) > 0 {
					t.Errorf("%d lines came before the refusal", len(lines))
				}
			}
		})
	}
}

// countBefore is how many lines were read up to a place in c.
func countBefore(s stages.LinesState) int {
	return 2*perFile + int(s.Offset)/len("c line 000000 of this file\n")
}

func TestAcceptedChanges(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]map[string]int{ // lines by their first word, of the second life
		"replaced by a longer one":       {"other": 4 * perFile, "d": perFile, "e": perFile},
		"shorter than the place":         {"c": 4, "d": perFile, "e": perFile},
		"gone, and in progress":          {"d": perFile, "e": perFile},
		"gone, and not begun":            {"c": -1, "d": perFile},
		"a new file before the place":    {"c": -1, "d": perFile, "e": perFile},
		"a new file behind the place":    {"c": -1, "d": perFile, "new": 1, "e": perFile},
		"a file that was read is edited": {"c": -1, "d": perFile, "e": perFile},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, state := aTree(t)
			before := countBefore(*state)
			if err := changesOfATree[name].do(root); err != nil {
				t.Fatal(err)
			}
			read := stages.Files{Roots: []string{root}, AcceptChanges: true}.Lines()
			lines, err := aLife(t, read, state, contains("d line 0001"))
			if err != nil {
				t.Fatal(err)
			}
			// What was accepted is the new state of things.
			more, err := aLife(t, stages.Lines(root), state, nothing)
			if err != io.EOF {
				t.Fatal(err)
			}
			got := map[string]int{}
			for _, line := range append(lines, more...) {
				first, _, _ := strings.Cut(line, " ")
				got[first]++
			}
			for word, n := range want {
				if n < 0 {
					n = 3*perFile - before // the rest of c
				}
				if got[word] != n {
					t.Errorf("%d lines of %s, want %d", got[word], word, n)
				}
			}
			if len(got) != len(want) {
				t.Errorf("lines of %v", got)
			}
		})
	}
}
