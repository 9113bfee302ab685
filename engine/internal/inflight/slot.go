package inflight

import (
	"runtime"
	"sync/atomic"
)

// row is a slot in the file.
type row [words]uint64

// Slot is where an instance notes its calls. One goroutine uses it; a nil *Slot does nothing.
type Slot struct {
	row   atomic.Pointer[row] // in the store, or memory of its own once it is cut off
	now   *atomic.Int64
	seed  uint64
	store *store // keeps the mapping alive
}

// Enter notes a call that is about to be made: of count messages from offset of an input, or of something else. A call
// that was under way is replaced.
func (s *Slot) Enter(kind Kind, input int, offset uint64, count int) {
	if s == nil {
		return
	}
	r := s.row.Load()
	what, n, since := uint64(kind)|uint64(uint32(input))<<32, uint64(count), uint64(s.now.Load())
	r[wordWhat] = what
	r[wordOffset] = offset
	r[wordCount] = n
	r[wordSince] = since
	r[wordSum] = checksum(s.seed, what, offset, n, since)
	s.store.flush(r)
	runtime.KeepAlive(s) // also keeps the compiler from joining these stores with those of Leave
}

// Leave notes that the call returned. It stays the instance's last one.
func (s *Slot) Leave() {
	if s == nil {
		return
	}
	r := s.row.Load()
	r[wordSum] = checksum(s.seed, r[wordWhat], r[wordOffset], r[wordCount], r[wordSince]) ^ leftMark
	s.store.flush(r)
	runtime.KeepAlive(s)
}

// cutOff gives the slot memory of its own to write to. A store that is just being made may still reach the file: at
// worst a call of the next handle is not seen.
func (s *Slot) cutOff() { s.row.Store(new(row)) }
