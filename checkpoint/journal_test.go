package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"penstock/checkpoint/internal/journal"
)

// journaled writes a commit that changes so many keys.
func journaled(t testing.TB, s *Store, commit uint64, keys int) {
	t.Helper()
	c := &Changes{}
	for n := range keys {
		c.Set(benchKey(n), binary.BigEndian.AppendUint64(nil, commit))
	}
	write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: commit}, Changes: c})
}

func checkJournaled(t *testing.T, s *Store, commit uint64, keys int) {
	t.Helper()
	n := 0
	err := s.Instance("a.0").Keys("", func(key string, value []byte) error {
		if key != benchKey(n) || binary.BigEndian.Uint64(value) != commit {
			t.Fatalf("key %d is %q at commit %x, want %d", n, key, value, commit)
		}
		n++
		return nil
	})
	if err != nil || n != keys {
		t.Fatalf("%d keys, %v", n, err)
	}
}

func TestAJournalStaysInBounds(t *testing.T) {
	t.Parallel()
	const keys = 5000
	dir := t.TempDir()
	s := open(t, dir)
	s.bounds.Least = 512 << 10
	j := s.Instance("a.0").journal
	most, volumes := 0, map[uint32]bool{}
	for commit := range uint64(20) {
		journaled(t, s, commit, keys)
		most = max(most, j.Blocks.Bytes)
		volumes[j.Blocks.Last.Volume] = true
	}
	if j.Changes.Len() != keys || most > 512<<10 || len(volumes) != 2 {
		t.Errorf("%d keys and up to %d bytes in %d volumes of the journal", j.Changes.Len(), most, len(volumes))
	}
	checkJournaled(t, s, 19, keys)
	closeStore(t, s)

	s = open(t, dir)
	j = s.Instance("a.0").journal
	checkJournaled(t, s, 19, keys)
	s.bounds.Memory = 1
	journaled(t, s, 20, 1)
	if j.Changes.Len() != 0 || j.Blocks.Bytes != 0 || len(j.Blocks.Addresses) != 0 {
		t.Errorf("%d keys in %d blocks after the journal was to end", j.Changes.Len(), len(j.Blocks.Addresses))
	}
	journaled(t, s, 21, keys)
	checkJournaled(t, s, 21, keys)
}

// What states leave behind in memory when they grow is no reason to end a journal.
func TestAJournalGivesMemoryBack(t *testing.T) {
	t.Parallel()
	const keys = 5000
	s := open(t, t.TempDir())
	j := s.Instance("a.0").journal
	s.bounds.Memory = 2 << 20
	for size := 1; size <= 200; size += size/3 + 1 {
		c := &Changes{}
		for n := range keys {
			c.Set(benchKey(n), bytes.Repeat([]byte{byte(size)}, size))
		}
		write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: uint64(size)}, Changes: c})
		if j.Changes.Len() != keys || j.Changes.Size() > 2<<20 {
			t.Fatalf("%d keys in %d bytes at states of %d bytes", j.Changes.Len(), j.Changes.Size(), size)
		}
		for _, n := range []int{0, keys / 2, keys - 1} {
			value, found, err := s.Instance("a.0").Key(benchKey(n))
			if err != nil || !found || len(value) != size || value[0] != byte(size) {
				t.Fatalf("key %d is %v, %v, %v at states of %d bytes", n, value, found, err, size)
			}
		}
	}
}

// A journal that is written anew again and again replaces its blocks: what Badger has merged does not grow.
func TestAJournalLeavesNothingOnDisk(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("writes 200 MB")
	}
	s := open(t, t.TempDir())
	const keys, commits = 100_000, 440
	var most [2]int64 // bytes below the topmost level in the second quarter and in the last
	for commit := range commits {
		many, few := &Changes{}, map[string][]byte{}
		for range keys / 5 {
			many.Set(benchKey(rand.IntN(keys)), make([]byte, 32))
		}
		for range keys / 500 {
			few[benchKey(rand.IntN(keys))] = make([]byte, 32)
		}
		at := Checkpoint{Commit: uint64(commit)}
		write(t, Update{Instance: s.Instance("a.0"), Checkpoint: at, Changes: many}, Update{Instance: s.Instance("b.0"), Checkpoint: at, Keys: few})
		if quarter := commit * 4 / commits; quarter%2 == 1 {
			most[quarter/2] = max(most[quarter/2], merged(s))
		}
	}
	t.Logf("%d KB in the second quarter, %d KB in the last", most[0]>>10, most[1]>>10)
	if most[0] == 0 || most[1] > most[0]*5/4 {
		t.Errorf("%d KB in the second quarter, %d KB in the last", most[0]>>10, most[1]>>10)
	}
}

func merged(s *Store) (bytes int64) {
	for _, level := range s.db.Levels()[1:] {
		bytes += level.Size
	}
	return bytes
}

// Whoever reads while the keys leave the journal finds them all the same.
func TestAJournalEndsUnderItsReaders(t *testing.T) {
	t.Parallel()
	const keys = 5000
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	journaled(t, s, 1, keys)
	stop, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(failed)
		for last := uint64(1); ; {
			select {
			case <-stop:
				return
			default:
			}
			value, found, err := i.Key(benchKey(rand.IntN(keys)))
			if err != nil || !found || binary.BigEndian.Uint64(value) < last-1 {
				failed <- errors.Join(err, errors.New("a key is lost or old"))
				return
			}
			last = max(last, binary.BigEndian.Uint64(value))
		}
	}()
	commits := uint64(30)
	if testing.Short() {
		commits = 10
	}
	for commit := range commits {
		s.bounds.Memory = int(commit%2) << 30
		journaled(t, s, commit+2, keys)
	}
	close(stop)
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// A crash before the blocks of the old volume are deleted leaves them: what was written later counts.
func TestAJournalKnowsItsOldBlocks(t *testing.T) {
	t.Parallel()
	const keys = 5000
	dir := t.TempDir()
	s := open(t, dir)
	s.bounds.Least = 1
	i := s.Instance("a.0")
	journaled(t, s, 0, keys)
	for commit := uint64(1); commit < 8; commit++ {
		old := map[string][]byte{}
		for _, at := range i.journal.Blocks.Addresses {
			key := journal.BlockKey("a.0", at)
			old[string(key)] = raw(t, s, key)
		}
		volume := i.journal.Blocks.Last.Volume
		for i.journal.Blocks.Last.Volume == volume {
			journaled(t, s, commit, keys)
		}
		for key, value := range old {
			if commit%2 == 1 {
				break // in order that the next volume is below this one
			}
			setRaw(t, s, []byte(key), value)
		}
		closeStore(t, s)
		s = open(t, dir)
		s.bounds.Least = 1
		i = s.Instance("a.0")
		checkJournaled(t, s, commit, keys)
	}
	if n := len(i.journal.Blocks.Addresses); n > 20 {
		t.Errorf("%d blocks are left", n)
	}
}

func TestADamagedJournalIsRefused(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"flipped": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir)
			journaled(t, s, 1, 5000)
			key := journal.BlockKey("a.0", journal.Address{Index: 1})
			setRaw(t, s, key, damage(raw(t, s, key)))
			closeStore(t, s)
			again, err := Open(Config{Dir: dir})
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("opened with %v", err)
			}
			if again != nil {
				t.Error("there is a store")
			}
		})
	}
}

// BenchmarkJournal stores checkpoints with all of a million counters.
func BenchmarkJournal(b *testing.B) {
	s := open(b, b.TempDir())
	commit := uint64(0)
	for b.Loop() {
		commit++
		journaled(b, s, commit, 1_000_000)
	}
	b.ReportMetric(1e6*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
	closeStore(b, s)
	start := time.Now()
	s = open(b, s.dir)
	b.Logf("opened in %v, %d MB on disk", time.Since(start), s.Size()/1e6)
}

// BenchmarkOpenJournal opens a store whose journal has two changes of each of a million counters, in no order.
func BenchmarkOpenJournal(b *testing.B) {
	s := open(b, b.TempDir())
	s.bounds.Least = 1 << 30
	const keys = 1_000_000
	for commit := range uint64(20) {
		c := &Changes{}
		for range keys / 10 {
			c.Set(benchKey(rand.IntN(keys)), binary.BigEndian.AppendUint64(nil, commit))
		}
		write(b, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: commit}, Changes: c})
	}
	for b.Loop() {
		closeStore(b, s)
		s = open(b, s.dir)
	}
}
