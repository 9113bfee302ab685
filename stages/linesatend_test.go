package stages_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/stages"
)

// copying is a pipeline that reads files, and its sink takes lines if it may.
func copying(files stages.Files, take func(line string) error) *engine.Pipeline {
	p := engine.New("copying")
	lines := engine.Source(p, "lines", files.Lines())
	engine.Sink(p, "sink", lines, func(_ context.Context, _ *struct{}, m engine.Message[string]) error { return take(m.Value) })
	return p
}

// endedSource runs a pipeline in dir until its source has ended, and its sink has
// taken nothing.
func endedSource(t *testing.T, files stages.Files, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p := copying(files, func(string) error { return engine.Unavailable(errors.New("the other side is away")) })
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, engine.Config{Dir: dir, Logger: quiet}) }()
	for {
		status := p.Status()
		if len(status.Stages) > 0 && stageStatus(t, status, "lines").Ended {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended before its source had: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; err != nil || p.Status().Completed {
		t.Fatalf("the first run: %v, completed: %v", err, p.Status().Completed)
	}
}

// A source that has ended is not called any more, and its input is still that of
// the run.
func TestChangesAfterTheSourceEndedAreRefusedUntilTheRunIsComplete(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(root string) error
		want   []string // of the refusal; nil: it goes on
	}{
		"the last one is replaced": {func(root string) error {
			return os.WriteFile(filepath.Join(root, "b"), []byte(named("x", 3)), 0o600)
		}, []string{"/b: it was replaced or changed"}},
		"the last one has grown": {func(root string) error { return appendTo(filepath.Join(root, "b"), "more\n") }, []string{"/b: it has", "read to its end"}},
		"the last one is cut":    {func(root string) error { return os.Truncate(filepath.Join(root, "b"), 3) }, []string{"/b: it has 3 bytes"}},
		"the last one is gone":   {func(root string) error { return os.Remove(filepath.Join(root, "b")) }, []string{"/b is gone"}},
		"the first one has grown": {func(root string) error { return appendTo(filepath.Join(root, "a"), "more\n") },
			[]string{"/a was written to after it was read"}},
		"one is new":         {func(root string) error { return os.WriteFile(filepath.Join(root, "c"), []byte("new\n"), 0o600) }, []string{"/c is new"}},
		"nothing":            {func(string) error { return nil }, nil},
		"the last is copied": {func(root string) error { return copyBack(filepath.Join(root, "b")) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, dir := t.TempDir(), t.TempDir()
			writeFile(t, filepath.Join(root, "a"), named("a", 3))
			writeFile(t, filepath.Join(root, "b"), named("b", 3))
			want := split(named("a", 3) + named("b", 3))
			files := stages.Files{Roots: []string{root}}
			endedSource(t, files, dir)
			if err := test.change(root); err != nil {
				t.Fatal(err)
			}
			var got []string
			take := func(line string) error { got = append(got, line); return nil }
			if test.want != nil {
				_, err := runUntil(t, t.Context(), copying(files, take), dir)
				wantError(t, err, append(test.want, "stage lines", "Files.AcceptChanges")...)
				if len(got) > 0 {
					t.Errorf("%q came before the refusal", got)
				}
				files.AcceptChanges = true
			}
			run(t, copying(files, take), dir)
			if !slices.Equal(got, want) {
				t.Errorf("%d lines, want %d: %s", len(got), len(want), strings.Join(got, "\n"))
			}
		})
	}
}
