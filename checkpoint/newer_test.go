package checkpoint

import (
	"errors"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/entry"
	"penstock/internal/format"
)

func TestAValueOfANewerVersionIsNotCalledDamaged(t *testing.T) {
	t.Parallel()
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	in := s.Instance("worker.0")
	for _, key := range [][]byte{entry.NoteKey("n"), entry.CheckpointKey("worker.0"), entry.OwnedKey(entry.SpaceKey, "worker.0", "k")} {
		err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(key, entry.Seal(key, format.Value+1, []byte("later"))) })
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _, note := s.Note("n")
	_, _, checkpoint := in.Load()
	_, _, key := in.Key("k")
	walk := in.Keys("", func(string, []byte) error { return nil })
	for name, err := range map[string]error{"note": note, "checkpoint": checkpoint, "key": key, "walk": walk} {
		if !errors.Is(err, format.ErrNewer) || errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "Config.Fresh") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, damages := s.CheckValues(); len(damages) != 3 || errors.Is(errors.Join(damages...), ErrCorrupt) {
		t.Error(damages)
	}
}
