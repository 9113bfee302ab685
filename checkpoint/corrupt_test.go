package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
	"penstock/checkpoint/internal/mend"
)

// raw reads and writes what is stored under a Badger key.
func raw(t *testing.T, s *Store, key []byte) (value []byte) {
	t.Helper()
	err := s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err != nil {
			return err
		}
		value, err = item.ValueCopy(nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func setRaw(t *testing.T, s *Store, key, value []byte) {
	t.Helper()
	if err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(key, value) }); err != nil {
		t.Fatal(err)
	}
	s.snapshots.renew()
}

func checkCorrupt(t *testing.T, err error, want CorruptError) {
	t.Helper()
	var got *CorruptError
	if !errors.Is(err, ErrCorrupt) || !errors.As(err, &got) {
		t.Fatalf("damage was reported as: %v", err)
	}
	if got.Instance != want.Instance || got.Kind != want.Kind || got.Key != want.Key {
		t.Errorf("the damage is said to be in %+v, want %+v", *got, want)
	}
	for _, part := range []string{want.Instance, want.Key, "Config.Fresh", "restore a copy"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestEveryFlippedByteOfAValueIsNoticed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	write(t, Update{Instance: i, Checkpoint: Checkpoint{Commit: 3, Record: []byte("record")},
		Keys: map[string][]byte{"k": []byte("value"), "big": make([]byte, pieceSize+1)}})
	if err := errors.Join(i.PutNote("n", []byte("note")), s.PutNote("n", []byte("note"))); err != nil {
		t.Fatal(err)
	}
	load := func() error { _, _, err := i.Load(); return err }
	key := func(k string) func() error { return func() error { _, _, err := i.Key(k); return err } }
	for _, c := range []struct {
		key  []byte
		want CorruptError
		read func() error
	}{
		{entry.CheckpointKey("a.0"), CorruptError{Instance: "a.0", Kind: "checkpoint"}, load},
		{entry.OwnedKey(entry.SpaceKey, "a.0", "k"), CorruptError{Instance: "a.0", Kind: "key", Key: "k"}, key("k")},
		{entry.OwnedKey(entry.SpaceKey, "a.0", "big"), CorruptError{Instance: "a.0", Kind: "key", Key: "big"}, key("big")},
		{entry.OwnedKey(entry.SpaceKey, "a.0", "k"), CorruptError{Instance: "a.0", Kind: "key", Key: "k"},
			func() error { return i.KeysFrom("k", func(string, []byte) error { return nil }) }},
		{entry.OwnedKey(entry.SpaceInstanceNote, "a.0", "n"), CorruptError{Instance: "a.0", Kind: "note", Key: "n"},
			func() error { _, _, err := i.Note("n"); return err }},
		{entry.NoteKey("n"), CorruptError{Kind: "note", Key: "n"},
			func() error { _, _, err := s.Note("n"); return err }},
	} {
		good := raw(t, s, c.key)
		for at := range good {
			bad := bytes.Clone(good)
			bad[at] ^= 0x10
			setRaw(t, s, c.key, bad)
			checkCorrupt(t, c.read(), c.want)
		}
		for _, n := range []int{0, 1, 4, len(good) - 1} {
			setRaw(t, s, c.key, good[:n])
			checkCorrupt(t, c.read(), c.want)
		}
		setRaw(t, s, c.key, good)
		if err := c.read(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAValueUnderAnotherKeyIsNoticed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	write(t, Update{Instance: i, Keys: map[string][]byte{"a": []byte("1"), "b": []byte("2")}})
	setRaw(t, s, entry.OwnedKey(entry.SpaceKey, "a.0", "b"), raw(t, s, entry.OwnedKey(entry.SpaceKey, "a.0", "a")))
	_, _, err := i.Key("b")
	checkCorrupt(t, err, CorruptError{Instance: "a.0", Kind: "key", Key: "b"})
}

func TestAMissingPieceIsNoticed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	write(t, Update{Instance: i, Keys: map[string][]byte{"big": make([]byte, 3*pieceSize)}})
	if err := s.db.Update(func(txn *badger.Txn) error { return txn.Delete(entry.PieceKey(1, 1)) }); err != nil {
		t.Fatal(err)
	}
	s.snapshots.renew()
	_, _, err := i.Key("big")
	checkCorrupt(t, err, CorruptError{Instance: "a.0", Kind: "key", Key: "big"})
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	key := entry.OwnedKey(entry.SpaceKey, "a.0", "k")
	setRaw(t, s, key, entry.Seal(key, 0, []byte("of no format")))
	_, _, err := s.Instance("a.0").Key("k")
	checkCorrupt(t, err, CorruptError{Instance: "a.0", Kind: "key", Key: "k"})
}

// stored makes a closed store with its state in a table, and names the table.
func stored(t *testing.T) (dir, sst string) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, dir)
	state := map[string][]byte{}
	for k := range 300 {
		state[fmt.Sprint(k)] = fmt.Append(nil, "value ", k)
	}
	write(t, Update{Instance: s.Instance("a.0"), Keys: state})
	closeStore(t, s)
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) != 1 {
		t.Fatalf("tables %q, %v", tables, err)
	}
	return dir, tables[0]
}

func TestEveryFlippedByteOfATableIsNoticed(t *testing.T) {
	t.Parallel()
	_, sst := stored(t)
	good, err := os.ReadFile(sst)
	if err != nil {
		t.Fatal(err)
	}
	if err := mend.VerifyTable(sst); err != nil {
		t.Fatalf("a good table: %v", err)
	}
	bad := filepath.Join(t.TempDir(), filepath.Base(sst))
	step := 1
	if testing.Short() {
		step = 37
	}
	for at := 0; at < len(good); at += step {
		flipped := bytes.Clone(good)
		flipped[at] ^= 1 << rand.IntN(8)
		if err := os.WriteFile(bad, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := disk.Guard(func() error { return mend.VerifyTable(bad) }); err == nil {
			t.Fatalf("byte %d of %d was flipped and not noticed", at, len(good))
		}
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(t *testing.T, dir, sst string){
		"flipped bit": func(t *testing.T, _, sst string) {
			rewrite(t, sst, func(b []byte) []byte { b[len(b)/3] ^= 4; return b })
		},
		"torn table": func(t *testing.T, _, sst string) {
			rewrite(t, sst, func(b []byte) []byte { return b[:len(b)/2] })
		},
		"empty table": func(t *testing.T, _, sst string) {
			rewrite(t, sst, func([]byte) []byte { return nil })
		},
		"table of zeros": func(t *testing.T, _, sst string) {
			rewrite(t, sst, func(b []byte) []byte { return make([]byte, len(b)) })
		},
		"missing table": func(t *testing.T, _, sst string) {
			if err := os.Remove(sst); err != nil {
				t.Fatal(err)
			}
		},
		"missing manifest": func(t *testing.T, dir, _ string) {
			if err := os.Remove(filepath.Join(dir, badger.ManifestFilename)); err != nil {
				t.Fatal(err)
			}
		},
		"flipped manifest": func(t *testing.T, dir, _ string) {
			rewrite(t, filepath.Join(dir, badger.ManifestFilename), func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir, sst := stored(t)
			harm(t, dir, sst)
			_, err := Open(Config{Dir: dir})
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("Open: %v", err)
			}
			for _, part := range []string{dir, "Config.Fresh", "restore a copy"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			// The refusal let go of the lock and harmed nothing more.
			if _, again := Open(Config{Dir: dir}); !errors.Is(again, ErrCorrupt) {
				t.Errorf("second Open: %v", again)
			}
		})
	}
}

func TestATableOfNoOneIsNotChecked(t *testing.T) {
	t.Parallel()
	dir, _ := stored(t)
	if err := os.WriteFile(table.NewFilename(4711, dir), []byte("half made"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, found, err := open(t, dir).Instance("a.0").Key("7"); string(v) != "value 7" || !found || err != nil {
		t.Fatalf("Key = %q, %v, %v", v, found, err)
	}
}

func rewrite(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}
