//go:build !(linux || darwin || freebsd || netbsd || dragonfly) || penstock_writeat

package inflight

import (
	"errors"
	"os"
	"sync"
	"unsafe"

	"penstock/internal/nofollow"
)

// store is the file and a copy of it in memory, of which slots are written through one by one.
type store struct {
	file *os.File
	data []byte

	mu  sync.Mutex
	err error // the first failure, told by close
}

// openStore moves a new file of this size to its path and opens it there: not every system renames an open file.
func openStore(next, path string, size int) (*store, error) {
	if err := os.Rename(next, path); err != nil {
		return nil, err
	}
	f, err := nofollow.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &store{file: f, data: make([]byte, size)}, nil
}

func (s *store) row(at int) *row { return (*row)(unsafe.Pointer(&s.data[at])) }

// flush writes a row, unless it is one of a slot that was cut off and so not of the store.
func (s *store) flush(r *row) {
	at := uintptr(unsafe.Pointer(r)) - uintptr(unsafe.Pointer(&s.data[0]))
	if at >= uintptr(len(s.data)) {
		return
	}
	if _, err := s.file.WriteAt(s.data[at:at+unsafe.Sizeof(*r)], int64(at)); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil && !errors.Is(err, os.ErrClosed) {
			s.err = err
		}
	}
}

func (s *store) close(mark []byte, at int) error {
	_, err := s.file.WriteAt(mark, int64(at))
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.err, err, s.file.Sync(), s.file.Close())
}
