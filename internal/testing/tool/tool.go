package tool

import (
	"os"
	"os/exec"
	"testing"
)

// variable demands the programs of others that tests ask for a second
// opinion; without it such a test is skipped where there is no such program.
const variable = "PENSTOCK_TEST_TOOLS"

// Find is where a program of another package is.
func Find(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv(variable) != "" {
		t.Fatalf("%s is set: %v", variable, err)
	}
	t.Skip(err)
	return ""
}
