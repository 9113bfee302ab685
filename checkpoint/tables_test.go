package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/mend"
)

// A list of tables that has lost its end is damaged, whether it was cut between two records or in one: checkpoints that
// were written since are still there.
func TestAListOfTablesThatLostItsEndIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for commit := range uint64(3) { // each Close makes a table
		s := open(t, dir)
		write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: commit + 1}, Keys: map[string][]byte{benchKey(int(commit)): {1}}})
		if commit < 2 {
			closeStore(t, s)
			continue
		}
		killed := t.TempDir()
		if err := os.CopyFS(filepath.Join(killed, "store"), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(killed, "store")
	}
	path := filepath.Join(dir, badger.ManifestFilename)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := len(mend.ManifestHead); size <= len(whole); size++ {
		image := filepath.Join(t.TempDir(), "store")
		if err := os.CopyFS(image, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(image, badger.ManifestFilename), int64(size)); err != nil {
			t.Fatal(err)
		}
		if _, damages := Check(image); (len(damages) > 0) != (size < len(whole)) {
			t.Errorf("cut to %d of %d bytes: Check says %v", size, len(whole), damages)
		}
		if _, all := Corrections(image); all != (size == len(whole)) {
			t.Errorf("cut to %d of %d bytes: corrected %v", size, len(whole), all)
		}
		s, err := Open(Config{Dir: image})
		if size < len(whole) && !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d of %d bytes: opened with %v", size, len(whole), err)
		} else if size == len(whole) && err != nil {
			t.Errorf("whole: %v", err)
		}
		if err == nil {
			closeStore(t, s)
		}
	}
}
