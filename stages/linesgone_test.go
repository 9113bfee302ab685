package stages_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/stages"
)

func TestAFileThatGoesWhileItIsReadStopsTheSourceEachTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do   func(path string) error
		want []string
	}{
		"removed":  {os.Remove, []string{"restore it", "Files.AcceptChanges"}},
		"replaced": {func(path string) error { return replace(path, named("other", 2*perFile)) }, []string{"replaced"}},
		"cut":      {func(path string) error { return os.Truncate(path, 5) }, []string{"5 bytes"}},
		"a pipe":   {func(path string) error { return replacePipe(path) }, []string{"not a regular file"}},
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
		wantError(t, err, path, "Files.AcceptChanges")
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
