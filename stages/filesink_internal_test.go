package stages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/engine"
)

func TestFileSinkBlamesAFailedWriteOnTheCommitNotOnAMessage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	sink := &fileSink[string]{path: path, format: Line[string]}
	state := &fileState{}
	write := func(value string) {
		t.Helper()
		if err := sink.write(t.Context(), state, engine.Message[string]{Value: value}); err != nil {
			t.Fatalf("a message is blamed: %v", err)
		}
	}
	if err := sink.start(t.Context(), state, nil); err != nil {
		t.Fatal(err)
	}
	write("first")
	if err := sink.beforeCommit(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	good := state.file.File
	state.file.File = readOnly // every write fails from here on
	write(strings.Repeat("x", 2*flushAt))
	write("second")
	if err := sink.beforeCommit(t.Context(), state); err == nil || state.Length != 6 {
		t.Fatalf("error %v and length %d, want an error and 6", err, state.Length)
	}
	if err := good.Close(); err != nil {
		t.Fatal(err)
	}

	state = &fileState{Length: state.Length} // as a rollback does
	write("second")
	if err := sink.beforeCommit(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	if err := sink.stop(t.Context(), state); err != nil || sink.open != nil {
		t.Fatalf("stop: %v, open %v", err, sink.open)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "first\nsecond\n" {
		t.Errorf("the file holds %q, error %v", data, err)
	}
}

func TestFileSinkTellsAFailedReopenAtTheCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sink := &fileSink[string]{path: filepath.Join(dir, "missing", "out"), format: Line[string]}
	state := &fileState{}
	if err := sink.write(t.Context(), state, engine.Message[string]{Value: "a"}); err != nil {
		t.Fatalf("a message is blamed: %v", err)
	}
	if err := sink.beforeCommit(t.Context(), state); err == nil {
		t.Error("the commit goes on without a file")
	}
	if err := sink.stop(t.Context(), state); err != nil {
		t.Error(err)
	}
}
