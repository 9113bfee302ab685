package stages_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/stages"
)

// What a message of the embedded server takes of a value.
const sendable = 8<<20 - 4<<10 - 64<<10

// unsendable is a run over lines of which the third and the fifth are within MaxLine, and fit into no message.
func unsendable(t *testing.T, policy stages.LongLines, dir string) (path string, got *[]int, p *engine.Pipeline) {
	t.Helper()
	path = writeFile(t, filepath.Join(t.TempDir(), "file"),
		"a\nb\n"+strings.Repeat("x", 10_000_000)+"\nc\n"+strings.Repeat("y", sendable+1)+"\nd\n"+strings.Repeat("z", sendable)+"\n")
	got = new([]int)
	p = engine.New("unsendable")
	lines := engine.Source(p, "lines", stages.Files{Roots: []string{path}, MaxLine: 16 << 20, LongLines: policy}.Lines())
	engine.Sink(p, "sink", lines, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		*got = append(*got, len(m.Value))
		return nil
	})
	return path, got, p
}

// What was chosen for long lines holds for those that no message of the server can carry. One that just fits is sent,
// also behind others that it does not fit beside.
func TestLinesThatNoMessageCanCarryAreLongLines(t *testing.T) {
	t.Parallel()
	for policy, want := range map[stages.LongLines]struct{ letters, dropped uint64 }{
		stages.SkipLongLines: {0, 2}, stages.LetterLongLines: {2, 0},
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, got, p := unsendable(t, policy, dir)
			s := stageStatus(t, run(t, p, dir), "lines")
			if !slices.Equal(*got, []int{1, 1, 1, 1, sendable}) || s.DeadLetters != want.letters || s.Dropped != want.dropped || s.Restarts != 0 {
				t.Errorf("%d, %+v", *got, s)
			}
			letters := lettersIn(t, dir)
			if len(letters) != int(want.letters) {
				t.Fatalf("%d letters", len(letters))
			}
			for n, l := range letters {
				wantError(t, errorText(l.Error), path, []string{"line 3, at byte 4, has 10000000 bytes", "line 5,"}[n], "a message of the server takes 8318976")
				if len(l.Value) != 64<<10 {
					t.Errorf("letter %d has %d bytes", n, len(l.Value))
				}
			}
		})
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }

func TestALineThatNoMessageCanCarryIsNamed(t *testing.T) {
	t.Parallel()
	for _, policy := range []stages.LongLines{"", stages.StopAtLongLines} {
		dir := t.TempDir()
		path, _, p := unsendable(t, policy, dir)
		_, err := runUntil(t, t.Context(), p, dir)
		wantError(t, err, path, "line 3", "at byte 4", "10000000 bytes", "8318976", "Files.MaxLine", `Files.LongLines("skip")`, `Files.LongLines("letter")`, "max_payload")
		if strings.Contains(err.Error(), "OnUnfit") {
			t.Errorf("the error is for programmers: %v", err)
		}
	}
}
