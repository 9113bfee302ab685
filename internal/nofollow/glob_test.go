package nofollow

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTheNameOfADirectoryIsNoPattern(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"data[1]", "data[", "*", "a?b"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(filepath.Join(dir, "in"), 0o700); err != nil {
			t.Fatal(err)
		}
		want := []string{filepath.Join(dir, "in", "1.sst"), filepath.Join(dir, "in", "2.sst")}
		for _, path := range append(want, filepath.Join(dir, "in", "other")) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := Glob(dir, "in/*.sst"); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := Glob(filepath.Join(t.TempDir(), "missing"), "*"); err != nil || len(got) > 0 {
		t.Errorf("a missing directory: %q, %v", got, err)
	}
}
