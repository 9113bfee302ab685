//go:build (linux || darwin || freebsd || netbsd || dragonfly) && !penstock_writeat

package inflight

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"penstock/internal/nofollow"
)

// store is the mapped file.
type store struct {
	file *os.File
	data []byte
}

// openStore maps a new file of this size and moves it to its path. It is unmapped when neither the store nor a slot can
// be reached any more, and not in close: a goroutine that was left behind may still come back and store to its slot.
func openStore(next, path string, size int) (*store, error) {
	f, err := nofollow.OpenFile(next, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(&os.PathError{Op: "mmap", Path: next, Err: err}, f.Close())
	}
	s := &store{file: f, data: data}
	runtime.AddCleanup(s, func(data []byte) { _ = syscall.Munmap(data) }, data)
	if err := os.Rename(next, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

func (s *store) row(at int) *row { return (*row)(unsafe.Pointer(&s.data[at])) }

// flush has nothing to do: what is stored is in the kernel's hands.
func (s *store) flush(*row) {}

// close writes these bytes and makes everything durable.
func (s *store) close(mark []byte, at int) error {
	copy(s.data[at:], mark)
	return errors.Join(s.file.Sync(), s.file.Close())
}
