package stages_test

import (
	"encoding/json"
	"os"
	"syscall"
	"testing"
)

// replacePipe puts a named pipe, which nobody writes to, in the place of a file.
func replacePipe(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return syscall.Mkfifo(path, 0o600)
}

// encoded is a state as it is stored.
func encoded(t *testing.T, state any) []byte {
	t.Helper()
	data, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
