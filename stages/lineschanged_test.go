package stages_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/stages"
)

// aLife reads with a state that was saved, until a line comes for which until
// is true, the end, or an error.
func aLife(t *testing.T, read linesFunc, state *stages.LinesState, until func(line string) bool) (lines []string, err error) {
	t.Helper()
	*state = saved(t, *state)
	stop := false
	emit := func(line string, _ ...engine.EmitOption) {
		lines = append(lines, line)
		stop = stop || until(line)
	}
	for err == nil && !stop {
		err = read(t.Context(), state, emit)
	}
	return lines, err
}

func contains(part string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, part) }
}

func nothing(string) bool { return false }

// named is n lines that have a name in them.
func named(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s line %06d of this file\n", name, i)
	}
	return b.String()
}

const perFile = 3000 // more than a call reads

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

func overwrite(path string, at int64, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteAt([]byte(text), at)
	return err
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(text)
	return err
}

// copyBack makes another file of the same content.
func copyBack(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(filepath.Dir(path), "..", "old")); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
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
				wantError(t, err, append(change.want, "--fresh", "--accept-changes")...)
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

func TestAFileThatGoesWhileItIsReadStopsTheSourceEachTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do   func(path string) error
		want []string
	}{
		"removed":  {os.Remove, nil},
		"replaced": {func(path string) error { return replace(path, named("other", 2*perFile)) }, []string{"replaced"}},
		"cut":      {func(path string) error { return os.Truncate(path, 5) }, []string{"5 bytes"}},
		"a pipe":   {func(path string) error { return replacePipe(path) }, []string{"no regular file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := writeFile(t, filepath.Join(root, "file"), named("a", perFile))
			writeFile(t, filepath.Join(root, "z"), named("z", 10))
			read, count := stages.Lines(root), 0
			var state stages.LinesState
			emit := func(string, ...engine.EmitOption) { count++ }
			if err := read(t.Context(), &state, emit); err != nil {
				t.Fatal(err)
			}
			place := saved(t, state)
			if err := test.do(path); err != nil {
				t.Fatal(err)
			}
			had := count
			wantError(t, read(t.Context(), &state, emit), append([]string{path}, test.want...)...)
			for range 2 {
				again := place
				wantError(t, read(t.Context(), &again, emit), path)
			}
			if count != had {
				t.Errorf("%d lines came", count-had)
			}
		})
	}
}

func replace(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// The whole way: a run is stopped in the middle of a file, the file is replaced,
// and no later run ends well.
func TestARunThatResumesOnAReplacedFileNeverEndsWell(t *testing.T) {
	t.Parallel()
	root, dir := t.TempDir(), t.TempDir()
	path := writeFile(t, filepath.Join(root, "file"), named("old", 20*perFile))
	build := func(accept bool, seen func(string)) *engine.Pipeline {
		p := engine.New("lines")
		read := stages.Files{Roots: []string{root}, AcceptChanges: accept}.Lines()
		lines := engine.Source(p, "lines", read).WithCapacity(engine.Capacity{Messages: 1000})
		engine.Sink(p, "sink", lines, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
			seen(m.Value)
			return nil
		})
		return p
	}
	ctx, stop := context.WithCancel(t.Context())
	p := build(false, func(line string) {
		if strings.Contains(line, "line 003000") {
			stop()
		}
	})
	if status, err := runUntil(t, ctx, p, dir); err != nil || status.Completed {
		t.Fatalf("%v, completed: %v", err, status.Completed)
	}
	if err := replace(path, named("new", 40*perFile)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		status, err := runUntil(t, t.Context(), build(false, func(string) {}), dir)
		if err == nil || status.Completed {
			t.Fatalf("error %v, completed: %v", err, status.Completed)
		}
		wantError(t, err, path, "--accept-changes")
	}
	fresh := 0 // the sink is the only one who counts
	status, err := runUntil(t, t.Context(), build(true, func(line string) {
		if strings.HasPrefix(line, "new") {
			fresh++
		}
	}), dir)
	if err != nil || !status.Completed || fresh != 40*perFile {
		t.Errorf("accepted: %v, %d of the new lines", err, fresh)
	}
}

func TestAPlaceOfAnOlderVersionIsTakenOver(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	a, b := writeFile(t, filepath.Join(root, "a"), named("a", 10)), writeFile(t, filepath.Join(root, "b"), named("b", perFile))
	state := stages.LinesState{Path: b, Offset: int64(len(named("b", 7)))}
	lines, err := aLife(t, stages.Lines(root), &state, contains("b line 0010"))
	if err != nil || len(lines) == 0 || !strings.HasPrefix(lines[0], "b line 000007") {
		t.Fatalf("%v, %d lines, the first %.20q", err, len(lines), slices.Concat(lines, []string{""})[0])
	}
	if state.Line != uint64(7+len(lines)) {
		t.Errorf("line %d after %d", state.Line, len(lines))
	}
	// From now on it knows the files.
	if err := appendTo(a, "more\n"); err != nil {
		t.Fatal(err)
	}
	_, err = aLife(t, stages.Lines(root), &state, nothing)
	wantError(t, err, a)
}
