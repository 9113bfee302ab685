package engine_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"penstock/engine"
)

// onLine is a log handler that looks at each line.
type onLine struct {
	slog.Handler
	look func(line string)
}

func (h onLine) Enabled(context.Context, slog.Level) bool { return true }

func (h onLine) Handle(_ context.Context, r slog.Record) error {
	h.look(r.Message)
	return nil
}

func (h onLine) WithAttrs([]slog.Attr) slog.Handler { return h }

// A process that is killed in its first start must not leave checkpoints of which nothing says where their channels are: the
// next start would ask for a server that there never was.
func TestNewDirectorySaysWhereItsChannelsAreBeforeItHasCheckpoints(t *testing.T) {
	t.Parallel()
	p := engine.New("new")
	engine.Sink(p, "end", engine.Source(p, "numbers", numbers), ignore[struct{}, int])
	dir := t.TempDir()
	opening := false
	config := engine.Config{Dir: dir, Logger: slog.New(onLine{look: func(string) {
		if _, err := os.Stat(filepath.Join(dir, "checkpoints")); err != nil || opening {
			return
		}
		opening = true // the first line since there are any
		if _, err := os.Stat(filepath.Join(dir, "penstock.json")); err != nil {
			t.Error(err)
		}
	}})}
	if err := p.Run(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if !opening {
		t.Error("no line was seen while the checkpoints were opened")
	}
}
