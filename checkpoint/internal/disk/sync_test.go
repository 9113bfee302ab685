package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestSyncCoversRotatedLogsAndTheDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	add := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var synced []string
	s := &Syncer{dir: dir, fsync: func(path string) error {
		synced = append(synced, filepath.Base(path))
		if filepath.Base(path) == "99998.mem" {
			return fs.ErrNotExist // became a table meanwhile
		}
		return nil
	}}
	check := func(want ...string) {
		t.Helper()
		synced = nil
		if err := s.Rest(""); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(synced, want) {
			t.Errorf("synced %q, want %q", synced, want)
		}
	}
	check()
	add("000001.vlog")
	add("99997.mem")
	check(filepath.Base(dir))
	check()
	add("99998.mem")
	add("100001.mem")
	check("99997.mem", "99998.mem", filepath.Base(dir))
	check("99997.mem", "99998.mem")

	full := errors.New("no space")
	s.fsync = func(string) error { return full }
	if err := s.Rest(""); !errors.Is(err, full) {
		t.Errorf("a failed sync: %v", err)
	}
}
