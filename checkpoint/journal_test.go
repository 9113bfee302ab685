package checkpoint

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
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
	s.bounds.least = 512 << 10
	j := s.Instance("a.0").journal
	most := 0
	for commit := range uint64(20) {
		journaled(t, s, commit, keys)
		most = max(most, j.stored)
	}
	if j.changes.Len() != keys || most < 512<<10 || most > 1<<20 {
		t.Errorf("%d keys and up to %d bytes in the journal", j.changes.Len(), most)
	}
	checkJournaled(t, s, 19, keys)
	closeStore(t, s)

	s = open(t, dir)
	j = s.Instance("a.0").journal
	checkJournaled(t, s, 19, keys)
	s.bounds.memory = 1
	journaled(t, s, 20, 1)
	if j.changes.Len() != 0 || j.stored != 0 || j.first != j.next {
		t.Errorf("%d keys in blocks %d to %d after the journal was to end", j.changes.Len(), j.first, j.next)
	}
	journaled(t, s, 21, keys)
	checkJournaled(t, s, 21, keys)
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
	for commit := range uint64(30) {
		s.bounds.memory = int(commit%2) << 30
		journaled(t, s, commit+2, keys)
	}
	close(stop)
	if err := <-failed; err != nil {
		t.Error(err)
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
			key := blockKey("a.0", 0)
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
