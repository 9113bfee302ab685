package checkpoint

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEmptyLogsAreSweptAtOpen(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"00099.mem", "000099.vlog"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir)
			write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: 5}})
			closeStore(t, s)
			empty := filepath.Join(dir, name)
			if err := os.WriteFile(empty, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			c, found, err := open(t, dir).Instance("a.0").Load()
			if err != nil || !found || c.Commit != 5 {
				t.Fatalf("Load() = %+v, %v, %v", c, found, err)
			}
			if info, err := os.Stat(empty); err == nil && info.Size() == 0 {
				t.Error("the empty file is still there")
			}
		})
	}
}
