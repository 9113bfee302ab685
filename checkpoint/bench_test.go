package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func benchKey(n int) string { return fmt.Sprintf("customer-%08d", n) }

// BenchmarkWrite stores a checkpoint with 10,000 keys of 100 bytes out of a million.
func BenchmarkWrite(b *testing.B) {
	s := open(b, b.TempDir())
	i := s.Instance("a.0")
	value := make([]byte, 100)
	const keys = 10_000
	commit := uint64(0)
	for b.Loop() {
		b.StopTimer()
		state := make(map[string][]byte, keys)
		for len(state) < keys {
			state[benchKey(rand.IntN(1_000_000))] = value
		}
		b.StartTimer()
		commit++
		write(b, Update{Instance: i, Checkpoint: Checkpoint{Commit: commit}, Keys: state})
	}
	b.ReportMetric(float64(keys)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}

// BenchmarkWriteRecord stores a checkpoint without keys.
func BenchmarkWriteRecord(b *testing.B) {
	s := open(b, b.TempDir())
	u := Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Record: make([]byte, 500)}}
	for b.Loop() {
		u.Checkpoint.Commit++
		write(b, u)
	}
}

func BenchmarkPutNote(b *testing.B) {
	i := open(b, b.TempDir()).Instance("a.0")
	for b.Loop() {
		if err := i.PutNote("attempts", []byte{1}); err != nil {
			b.Fatal(err)
		}
	}
}

var million struct {
	sync.Once
	fill, open time.Duration
	size       int64
}

// BenchmarkKey reads keys at random out of a million, of 100 bytes each.
func BenchmarkKey(b *testing.B) {
	const keys = 1_000_000
	dir := b.TempDir()
	s := open(b, dir)
	start := time.Now()
	for from := 0; from < keys; from += 50_000 {
		state := make(map[string][]byte, 50_000)
		for n := from; n < from+50_000; n++ {
			state[benchKey(n)] = binary.BigEndian.AppendUint64(make([]byte, 92), uint64(n))
		}
		write(b, Update{Instance: s.Instance("a.0"), Keys: state})
	}
	closeStore(b, s)
	filled := time.Since(start)
	start = time.Now()
	s = open(b, dir)
	opened := time.Since(start)
	i := s.Instance("a.0")
	million.Do(func() {
		b.Logf("1 M keys written in %v, opened again in %v, %d MB on disk", filled, opened, s.Size()/1e6)
	})
	for b.Loop() {
		n := rand.IntN(keys)
		v, found, err := i.Key(benchKey(n))
		if err != nil || !found || binary.BigEndian.Uint64(v[92:]) != uint64(n) {
			b.Fatal(v, found, err)
		}
	}
}
