package disk

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

func TestSweepLeavesTheRest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"00001.mem": "x", "000001.vlog": "x", "MANIFEST": "", "000001.sst": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 4 {
		t.Fatalf("left %v, %v", left, err)
	}
}
