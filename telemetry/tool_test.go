package telemetry

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// toolsVariable demands the programs of others that tests ask for a second
// opinion; without it such a test is skipped where there is no such program.
const toolsVariable = "PENSTOCK_TEST_TOOLS"

// tool is where a program of another package is.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv(toolsVariable) != "" {
		t.Fatalf("%s is set: %v", toolsVariable, err)
	}
	t.Skip(err)
	return ""
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
