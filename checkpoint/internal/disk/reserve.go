package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"penstock/internal/nofollow"
)

const (
	// MemtableSize is how large a memtable of Badger grows, in bytes.
	MemtableSize = 16 << 20

	// logSpace is what a memtable's log can need: Badger begins the next one when it has grown over the size of a
	// memtable, and one transaction is a sixth of that at most.
	LogSpace = MemtableSize + MemtableSize/4

	// tableSpace is what the table of one memtable can need.
	tableSpace = MemtableSize + MemtableSize/2

	// keptFree is what must be free beside what a write itself needs: room for the tables that Badger writes in the
	// background, on a small disk a thirty-second of it.
	keptFree = 64 << 20

	// smallDisk is the size of a file system below which reserved space may leave too little for the run itself.
	smallDisk = 96 << 20
)

// ErrNoSpace says that the disk is too full to write without danger. Nothing was
// written; it goes away when there is space.
var ErrNoSpace = errors.New("not enough free space")

// ReserveName is a file of tableSpace bytes that is never read. It is given up for the table that Close writes.
const ReserveName = "reserve"

// Reserve keeps space on the disk for what Badger writes through mappings: a page of a mapped file that finds no space
// is a signal that ends the process, and most of them are written by goroutines of Badger, where nothing can catch it.
// The logs get their space beforehand, the next one before it exists for Badger: as an empty file with space behind
// its end, which it takes for new. Tables cannot be made ahead; for them there is the reserve, and a bound below which
// nothing is written.
type Reserve struct {
	dir string

	mu   sync.Mutex
	next string // the log that is prepared, "" if there is none
}

// NewReserve returns the reserve of the store in dir.
func NewReserve(dir string) *Reserve { return &Reserve{dir: dir} }

// KeptFree is how many bytes of a file system of that size have to be free for
// anything to be written.
func KeptFree(size int64) int64 { return min(keptFree, size/32) }

// needed is what has to be free for a write of so many bytes.
func needed(bytes int, size int64) int64 { return KeptFree(size) + 3*int64(bytes) }

// Check refuses a write for which there may not be enough space.
func (r *Reserve) Check(bytes int) error {
	free, size, err := Space(r.dir)
	if err != nil {
		return nil // a file system that does not tell
	}
	if need := needed(bytes, size); free < need {
		return r.tooLittle(free, need)
	}
	return nil
}

func (r *Reserve) tooLittle(free, need int64) error {
	return fmt.Errorf("%w: %d KiB are free in %s and at least %d KiB are needed: free some disk space", ErrNoSpace, free>>10, r.dir, need>>10)
}

// BeforeOpen gives the reserve up, and refuses to have logs replayed that there is no space to make tables of.
func (r *Reserve) BeforeOpen() error {
	if err := r.giveUp(); err != nil {
		return err
	}
	logs, err := memtableLogs(r.dir)
	if err != nil {
		return err
	}
	free, size, err := Space(r.dir)
	if err != nil {
		return nil
	}
	if need := min(int64(len(logs)+1)*tableSpace, size/8); free < need {
		return r.tooLittle(free, need)
	}
	return nil
}

// AfterOpen gives everything that is open its space.
func (r *Reserve) AfterOpen() error {
	names, err := nofollow.Glob(r.dir, "*.vlog")
	if err != nil {
		return err
	}
	for _, name := range append(names, filepath.Join(r.dir, "DISCARD")) {
		if err := r.fill(name); err != nil {
			return err
		}
	}
	if err := r.Prepare(); err != nil {
		return err
	}
	return r.keep()
}

// fill gives a file the space that its size promises.
func (r *Reserve) fill(path string) error {
	f, err := nofollow.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		err = r.allocate(f, min(info.Size(), LogSpace))
	}
	return errors.Join(err, f.Close())
}

// allocate gives a file space. On a small disk a quarter stays free: a run would wait without end for space that it
// holds itself.
func (r *Reserve) allocate(f *os.File, bytes int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	missing := bytes - Used(info)
	free, size, err := Space(r.dir)
	if need := missing + size/4; err == nil && size < smallDisk && missing > 0 && free < need {
		return r.tooLittle(free, need)
	}
	return allocate(f, bytes)
}

// Prepare gives the log in use its space, and the next one.
func (r *Reserve) Prepare() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	logs, err := memtableLogs(r.dir)
	if err != nil || len(logs) == 0 {
		return err
	}
	newest := logs[len(logs)-1]
	if r.next != "" {
		if newest == r.next && isEmpty(filepath.Join(r.dir, newest)) {
			return nil
		}
		if newest != r.next { // Badger was faster
			_ = removeEmpty(filepath.Join(r.dir, r.next))
		}
		r.next = ""
	}
	if err := r.fill(filepath.Join(r.dir, newest)); err != nil {
		return err
	}
	return r.prepareAfter(newest)
}

func (r *Reserve) prepareAfter(newest string) error {
	var number int
	if _, err := fmt.Sscanf(strings.TrimSuffix(newest, ".mem"), "%d", &number); err != nil {
		return fmt.Errorf("log %s: %w", newest, err)
	}
	name := fmt.Sprintf("%05d.mem", number+1)
	f, err := os.OpenFile(filepath.Join(r.dir, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // Badger was faster
	}
	if err != nil {
		return err
	}
	if err := errors.Join(r.allocate(f, LogSpace), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	r.next = name
	return nil
}

// Prepared is the log that Badger does not know yet, "" if there is none.
func (r *Reserve) Prepared() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next != "" && isEmpty(filepath.Join(r.dir, r.next)) {
		return r.next
	}
	return ""
}

// keep makes the reserve.
func (r *Reserve) keep() error {
	f, err := nofollow.OpenFile(filepath.Join(r.dir, ReserveName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(r.allocate(f, tableSpace), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// giveUp deletes the reserve, and the log that is prepared: Badger refuses to open a directory with an empty one.
func (r *Reserve) giveUp() error {
	err := os.Remove(filepath.Join(r.dir, ReserveName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next != "" {
		err = errors.Join(err, removeEmpty(filepath.Join(r.dir, r.next)))
		r.next = ""
	}
	return err
}

// BeforeClose frees space for the last table; an error says that there is none.
func (r *Reserve) BeforeClose() error {
	if err := r.giveUp(); err != nil {
		return err
	}
	free, size, err := Space(r.dir)
	if err != nil {
		return nil
	}
	if need := min(tableSpace, size/32); free < need {
		return r.tooLittle(free, need)
	}
	return nil
}

func isEmpty(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() == 0
}

func removeEmpty(path string) error {
	if !isEmpty(path) {
		return nil
	}
	return os.Remove(path)
}
