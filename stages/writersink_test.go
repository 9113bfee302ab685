package stages_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/stages"
)

// weak is a writer that fails at its nth write.
type weak struct {
	bytes.Buffer
	writes, fails int
}

func (w *weak) Write(data []byte) (int, error) {
	if w.writes++; w.writes == w.fails {
		return 0, errors.New("the line is down")
	}
	return w.Buffer.Write(data)
}

// firsts leaves out lines that were there before.
func firsts(text string) string {
	seen := map[string]bool{}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !seen[line] {
			seen[line] = true
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestWriterSinkWritesEverythingInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := numbered(30_000)
	in := writeFile(t, filepath.Join(dir, "in"), content)
	for name, test := range map[string]struct {
		fails    int
		restarts uint64
	}{
		"a good writer":          {0, 0},
		"a writer that recovers": {3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &weak{fails: test.fails}
			p := engine.New("print")
			lines := engine.Source(p, "lines", stages.Lines(in))
			stages.WriterSink(p.With(fast), "print", lines, w, stages.Line)
			status := run(t, p, t.TempDir())
			if got := w.String(); test.fails == 0 && got != content {
				t.Errorf("wrote %d bytes, want %d", len(got), len(content))
			}
			if got := firsts(w.String()); got != content {
				t.Errorf("wrote %d bytes without those that came again, want %d", len(got), len(content))
			}
			if s := stageStatus(t, status, "print"); s.Restarts != test.restarts || s.DeadLetters != 0 {
				t.Errorf("print: %+v, want %d restarts and no dead letter", s, test.restarts)
			}
		})
	}
}
