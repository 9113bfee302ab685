package inflight

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"penstock/internal/nofollow"
)

// Tick is how exactly the beginning of a call is known: reading the clock for every call would cost more than all the
// rest.
const Tick = 250 * time.Millisecond

// File is the in-flight file of this process. Its methods may be called by any goroutine.
type File struct {
	path  string
	head  *head
	store *store
	index map[string]int
	now   atomic.Int64 // Unix time in nanoseconds, every Tick

	stop    chan struct{}
	stopped sync.WaitGroup

	mu     sync.Mutex
	slots  []*Slot // the handle that is valid, by index
	closed bool
}

// Open takes the file for this process, with a slot for each of the instances, and returns what the process before
// left. Names are distinct, not empty and of at most 200 bytes; the process before may have had others. The caller
// holds a lock on the directory. When Open fails for want of space or of a permission, what was left is still there.
func Open(path string, instances []string) (*File, Last, error) {
	index, err := indexOf(instances)
	if err != nil {
		return nil, Last{}, err
	}
	last, err := Read(path)
	if err != nil {
		return nil, Last{}, err
	}
	f := &File{path: path, index: index, stop: make(chan struct{}), slots: make([]*Slot, len(instances))}
	f.head = &head{generation: newGeneration(), boot: bootHash(), instances: append([]string(nil), instances...)}
	if f.store, err = create(path, f.head.encode()); err != nil {
		return nil, Last{}, fmt.Errorf("create the in-flight file: %w (the data directory must be writable, have some free space, and be on a local file system)", err)
	}
	f.now.Store(time.Now().UnixNano())
	f.stopped.Go(f.tick)
	return f, last, nil
}

func indexOf(instances []string) (map[string]int, error) {
	if len(instances) > maxInstances {
		return nil, fmt.Errorf("in-flight file: %d instances, at most %d fit", len(instances), maxInstances)
	}
	index := make(map[string]int, len(instances))
	for i, name := range instances {
		if name == "" || len(name) > maxName {
			return nil, fmt.Errorf("in-flight file: the instance name %q has %d bytes, it needs 1 to %d", name, len(name), maxName)
		}
		if _, found := index[name]; found {
			return nil, fmt.Errorf("in-flight file: two instances have the name %q", name)
		}
		index[name] = i
	}
	return index, nil
}

func newGeneration() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// create puts a durable file of these bytes in the place of another one, at once, and opens it.
func create(path string, data []byte) (*store, error) {
	next := path + ".new"
	s, err := writeNew(next, path, data)
	if err != nil {
		_ = os.Remove(next)
		return nil, err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	return s, nil
}

func writeNew(next, path string, data []byte) (*store, error) {
	f, err := nofollow.Create(next, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return openStore(next, path, len(data))
}

func (f *File) tick() {
	t := time.NewTicker(Tick)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			f.now.Store(now.UnixNano())
		case <-f.stop:
			return
		}
	}
}

// Slot returns the slot of an instance, with no call under way, and cuts off the handle that was given out before.
// After Close the slot leads nowhere. It panics for a name that Open was not given.
func (f *File) Slot(instance string) *Slot {
	if f == nil {
		return nil
	}
	i, found := f.index[instance]
	if !found {
		panic(fmt.Sprintf("inflight: Open was given no instance %q", instance))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &Slot{store: f.store, now: &f.now, seed: f.head.seed(i)}
	if f.closed {
		s.cutOff()
		return s
	}
	if earlier := f.slots[i]; earlier != nil {
		earlier.cutOff()
	}
	s.row.Store(f.store.row(f.head.slotsAt() + i*slotSize))
	s.Leave()
	f.slots[i] = s
	return s
}

// Close marks the orderly end, durably. The slots may still be used, they lead nowhere. Closing twice, or a nil File,
// does nothing.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	close(f.stop)
	f.stopped.Wait()
	for _, s := range f.slots {
		if s != nil {
			s.cutOff()
		}
	}
	var mark [8]byte
	binary.LittleEndian.PutUint64(mark[:], f.head.cleanMark())
	if err := f.store.close(mark[:], stateAt); err != nil {
		return fmt.Errorf("close the in-flight file %s: %w", f.path, err)
	}
	return nil
}
