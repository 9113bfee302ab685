package stages_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/stages"
)

// copyFile is a pipeline that copies lines, with whatever goes wrong in format.
func copyFile(from, to string, format stages.Format[string]) *engine.Pipeline {
	p := engine.New("copy")
	lines := engine.Source(p.With(fast), "lines", stages.Lines(from))
	stages.FileSink(p.With(fast), "file", lines, to, format)
	return p
}

func TestFileSinkWritesEveryMessageOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := numbered(30_000)
	in, out := writeFile(t, filepath.Join(dir, "in"), content), filepath.Join(dir, "out")
	run(t, copyFile(in, out, stages.Line), filepath.Join(dir, "data"))
	if got := readFile(t, out); got != content {
		t.Errorf("wrote %d bytes, want %d", len(got), len(content))
	}
}

func TestFileSinkEmptiesTheFileWhenARunStartsOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := writeFile(t, filepath.Join(dir, "in"), "a\nb\n")
	out := writeFile(t, filepath.Join(dir, "out"), "what was there before\n")
	for range 2 {
		run(t, copyFile(in, out, stages.Line), filepath.Join(dir, "data"))
		if got := readFile(t, out); got != "a\nb\n" {
			t.Errorf("wrote %q", got)
		}
	}
}

// The file is the result of the run before until there is another one.
func TestFileSinkLeavesTheFileOfARunThatFailsBeforeItsFirstMessage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, out, data := writeFile(t, filepath.Join(dir, "in"), "a\nb\n"), filepath.Join(dir, "out"), filepath.Join(dir, "data")
	run(t, copyFile(in, out, stages.Line), data)
	_, err := runUntil(t, t.Context(), copyFile(filepath.Join(dir, "mistyped"), out, stages.Line), data)
	wantError(t, err, "mistyped")
	if got := readFile(t, out); got != "a\nb\n" {
		t.Errorf("after the run that failed: %q", got)
	}
	run(t, copyFile(writeFile(t, filepath.Join(dir, "empty"), ""), out, stages.Line), filepath.Join(dir, "other"))
	if got := readFile(t, out); got != "" {
		t.Errorf("after a run without messages: %q", got)
	}
}

// What can be known before a run is told without one, and nothing is changed.
func TestChecksBeforeARun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, missing := writeFile(t, filepath.Join(dir, "file"), "text"), filepath.Join(dir, "missing", "file")
	for path, want := range map[string]string{file: "", filepath.Join(dir, "new"): "", missing: "no such file", dir: "not a regular file"} {
		if err := stages.CheckFile(path); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("the file of a sink %s: %v, want %q", path, err, want)
		}
	}
	if err := (stages.Files{Roots: []string{file, dir}}).Check(); err != nil {
		t.Error(err)
	}
	wantError(t, stages.Files{Roots: []string{file, missing}}.Check(), missing)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || readFile(t, file) != "text" {
		t.Errorf("the checks changed something: %v, %v", entries, err)
	}
}

func TestFileSinkUndoesWhatAFaultLeftBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := numbered(30_000)
	in, out := writeFile(t, filepath.Join(dir, "in"), content), filepath.Join(dir, "out")
	calls := 0
	p := copyFile(in, out, func(dst []byte, line string) []byte {
		if calls++; calls%9000 == 0 {
			panic("on purpose")
		}
		return stages.Line(dst, line)
	})
	status := run(t, p, filepath.Join(dir, "data"))
	if got := readFile(t, out); got != content {
		t.Errorf("wrote %d bytes, want %d", len(got), len(content))
	}
	if s := stageStatus(t, status, "file"); s.Panics < 3 || s.DeadLetters != 0 {
		t.Errorf("file: %+v, want at least 3 panics and no dead letter", s)
	}
}

func TestFileSinkLeavesOutOnlyThePoison(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := numbered(20_000)
	poison := content[strings.Index(content, "line 012345"):][:len(numbered(1))]
	in, out := writeFile(t, filepath.Join(dir, "in"), content), filepath.Join(dir, "out")
	p := copyFile(in, out, func(dst []byte, line string) []byte {
		dst = stages.Line(dst, line)
		if line+"\n" == poison {
			panic("poison")
		}
		return dst
	})
	status := run(t, p, filepath.Join(dir, "data"))
	if got := readFile(t, out); got != strings.Replace(content, poison, "", 1) {
		t.Errorf("wrote %d bytes, want %d", len(got), len(content)-len(poison))
	}
	if s := stageStatus(t, status, "file"); s.DeadLetters != 1 {
		t.Errorf("file: %+v, want one dead letter", s)
	}
}

// picky is a codec that cannot decode some values: such a message is rejected
// and the stage rolled back without a restart.
type picky struct{ engine.Codec[string] }

func (p picky) Decode(data []byte) (string, error) {
	if strings.HasSuffix(string(data), "x") {
		return "", errors.New("it ends in x")
	}
	return p.Codec.Decode(data)
}

func TestFileSinkGoesOnAfterARollbackWithinALife(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var in, want strings.Builder
	for i, line := range split(numbered(20_000)) {
		if i%5000 == 4999 {
			in.WriteString(line + "x\n")
			continue
		}
		in.WriteString(line + "\n")
		want.WriteString(line + "\n")
	}
	out := filepath.Join(dir, "out")
	p := engine.New("copy")
	lines := engine.Source(p, "lines", stages.Lines(writeFile(t, filepath.Join(dir, "in"), in.String())))
	lines.WithCodec(picky{engine.DefaultCodec[string]()})
	stages.FileSink(p, "file", lines, out, stages.Line)
	status := run(t, p, filepath.Join(dir, "data"))
	if got := readFile(t, out); got != want.String() {
		t.Errorf("wrote %d bytes, want %d", len(got), want.Len())
	}
	if s := stageStatus(t, status, "file"); s.DeadLetters != 4 || s.Restarts != 0 {
		t.Errorf("file: %+v, want 4 dead letters without a restart", s)
	}
}

// interrupted runs a copy until about the middle and returns how to resume it.
func interrupted(t *testing.T, content string) (resume func() (observe.Status, error), out string) {
	t.Helper()
	dir := t.TempDir()
	in, out := writeFile(t, filepath.Join(dir, "in"), content), filepath.Join(dir, "out")
	data := filepath.Join(dir, "data")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var written atomic.Int64
	p := engine.New("copy")
	lines := engine.Source(p, "lines", stages.Lines(in)).WithCapacity(engine.Capacity{Messages: 1000})
	stages.FileSink(p, "file", lines, out, func(dst []byte, line string) []byte {
		if written.Add(1) == 10_000 {
			cancel()
		}
		return stages.Line(dst, line)
	})
	status, err := runUntil(t, ctx, p, data)
	if err != nil || status.Completed {
		t.Fatalf("the interrupted run: error %v, status %+v", err, status)
	}
	if s := stageStatus(t, status, "file"); s.In < 10_000 {
		t.Fatalf("the interrupted run: %+v", s)
	}
	return func() (observe.Status, error) { return runUntil(t, t.Context(), p, data) }, out
}

func TestFileSinkResumesAndCutsOffWhatWasNotCommitted(t *testing.T) {
	t.Parallel()
	content := numbered(50_000)
	resume, out := interrupted(t, content)
	committed := readFile(t, out)
	if !strings.HasPrefix(content, committed) || len(committed) == len(content) {
		t.Fatalf("after the interruption there are %d bytes", len(committed))
	}
	writeFile(t, out, committed+"written, but the process died before the commit\n")
	status, err := resume()
	if err != nil || !status.Completed {
		t.Fatalf("resume: error %v, status %+v", err, status)
	}
	if got := readFile(t, out); got != content {
		t.Errorf("wrote %d bytes, want %d", len(got), len(content))
	}
}

func TestFileSinkRefusesAFileThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage func(path string) error
		want   []string
	}{
		"shorter":     {func(path string) error { return os.Truncate(path, 10) }, []string{"has 10 bytes", "were committed", "restore the right one"}},
		"gone":        {os.Remove, []string{"is gone", "were committed", "restore it"}},
		"a directory": {func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) }, []string{"not a regular file", "stages.WriterSink"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := numbered(50_000)
			resume, out := interrupted(t, content)
			committed := readFile(t, out)
			if err := test.damage(out); err != nil {
				t.Fatal(err)
			}
			_, err := resume()
			wantError(t, err, append(test.want, out)...)
			// The remedy that the error names.
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
			writeFile(t, out, committed)
			if status, err := resume(); err != nil || !status.Completed {
				t.Fatalf("after the repair: error %v, status %+v", err, status)
			}
			if got := readFile(t, out); got != content {
				t.Errorf("wrote %d bytes, want %d", len(got), len(content))
			}
		})
	}
}

func TestFileSinkNamesADirectoryThatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "missing", "out")
	_, err := runUntil(t, t.Context(), copyFile(writeFile(t, filepath.Join(dir, "in"), "a\n"), out, stages.Line), filepath.Join(dir, "data"))
	wantError(t, err, out, "no such file or directory")
}
