package checkpoint

import (
	"bytes"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/entry"
)

// pieces counts the generations that are stored, and their entries.
func pieces(t *testing.T, s *Store) (generations, entries int) {
	t.Helper()
	err := s.db.View(func(txn *badger.Txn) error {
		for space, n := range map[byte]*int{entry.SpaceOwner: &generations, entry.SpacePiece: &entries} {
			it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{space}})
			for it.Rewind(); it.Valid(); it.Next() {
				*n++
			}
			it.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return generations, entries
}

func checkPieces(t *testing.T, s *Store, generations, entries int) {
	t.Helper()
	if g, e := pieces(t, s); g != generations || e != entries {
		t.Errorf("%d generations with %d pieces, want %d with %d", g, e, generations, entries)
	}
}

func TestLargeValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	i := s.Instance("a.0")
	fill := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	check := func(s *Store, want []byte) {
		t.Helper()
		if got, _, err := s.Instance("a.0").Key("k"); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes came back for %d, %v", len(got), len(want), err)
		}
	}
	for n, size := range []int{pieceSize, pieceSize + 1, 2 * pieceSize, 20<<20 + 1, 3 * pieceSize} {
		want := fill(byte(n), size)
		write(t, Update{Instance: i, Keys: map[string][]byte{"k": want}})
		check(s, want)
	}
	checkPieces(t, s, 1, 3)
	closeStore(t, s)

	s = open(t, dir)
	i = s.Instance("a.0")
	check(s, fill(4, 3*pieceSize))
	write(t, Update{Instance: i, Keys: map[string][]byte{"k": fill(5, 2*pieceSize)}})
	checkPieces(t, s, 1, 2)
	write(t, Update{Instance: i, Keys: map[string][]byte{"k": {6}}})
	check(s, []byte{6})
	checkPieces(t, s, 0, 0)
	write(t, Update{Instance: i, Keys: map[string][]byte{"k": fill(7, 2*pieceSize)}})
	write(t, Update{Instance: i, Keys: map[string][]byte{"k": nil}})
	checkPieces(t, s, 0, 0)

	record := fill(8, 2*pieceSize)
	write(t, Update{Instance: i, Checkpoint: Checkpoint{Commit: 1, Record: record}})
	if c, _, err := i.Load(); err != nil || c.Commit != 1 || !bytes.Equal(c.Record, record) {
		t.Errorf("a large record: commit %d, %d bytes, %v", c.Commit, len(c.Record), err)
	}
}

func TestTheLargestValueFits(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes and reads two values of 64 MiB in one goroutine")
	}
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	want := make([]byte, MaxValue)
	want[0], want[MaxValue-1] = 1, 2
	write(t, Update{Instance: i, Checkpoint: Checkpoint{Record: want}, Keys: map[string][]byte{"k": want}})
	got, _, err := i.Key("k")
	c, _, err2 := i.Load()
	if err != nil || err2 != nil || !bytes.Equal(got, want) || !bytes.Equal(c.Record, want) {
		t.Fatalf("%d and %d bytes, %v, %v", len(got), len(c.Record), err, err2)
	}
}

func TestPiecesThatACrashLeftAreDropped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	i := s.Instance("a.0")
	value := make([]byte, 3*pieceSize)
	write(t, Update{Instance: i, Keys: map[string][]byte{"k": value}})
	leave := func(generation uint64, owner string) {
		wb := s.db.NewWriteBatch()
		if _, err := writePieces(wb, generation, entry.OwnedKey(entry.SpaceKey, "a.0", owner), value); err != nil {
			t.Fatal(err)
		}
		if err := wb.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	leave(50, "k")
	leave(51, "never written")
	setRaw(t, s, entry.PieceKey(52, 9), []byte("its owner entry was lost"))
	closeStore(t, s)

	s = open(t, dir)
	checkPieces(t, s, 1, 3)
	if got, _, err := s.Instance("a.0").Key("k"); err != nil || len(got) != len(value) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if s.generation < 52 {
		t.Errorf("generation %d may be used twice", s.generation)
	}
}

// TestRewritingLargeValuesTakesNoMoreSpace would fail with values in Badger's value log,
// which is not collected while the memtable does not fill up.
func TestRewritingLargeValuesTakesNoMoreSpace(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes 400 MB")
	}
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	value := make([]byte, 4<<20)
	for n := range 100 {
		value[0] = byte(n)
		write(t, Update{Instance: i, Checkpoint: Checkpoint{Commit: uint64(n)}, Keys: map[string][]byte{"k": value}})
	}
	if size := s.Size(); size > 200<<20 {
		t.Errorf("4 MiB written 100 times take %d MiB", size>>20)
	}
}
