package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A panic is no success, whatever was given to it.
func TestAPanicWithNilIsAnError(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	if err := Guard(func() error { panic(nil) }); !errors.Is(err, ErrUnreadable) {
		t.Errorf("the error is %v", err)
	}
}

func TestReadAllNamesTheFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "1.sst"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ReadAll(dir); err != nil {
		t.Fatalf("all can be read: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "2.sst"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := ReadAll(dir); err == nil || !strings.Contains(err.Error(), "2.sst") {
		t.Errorf("the error is %v", err)
	}
}
