package checkpoint

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
	"penstock/checkpoint/internal/journal"
	"penstock/internal/format"
)

// Instance is one instance's corner of a store. Its methods may be called from several
// goroutines at once, and see a Write only once it is complete for the value they read.
type Instance struct {
	store   *Store
	name    string
	journal *journal.Journal
}

// Instance gives the corner of the instance of that name, such as "worker.0". Nothing
// is written for it. A name that is not 1 to 100 characters of A-Z a-z 0-9 _ . - panics.
func (s *Store) Instance(name string) *Instance {
	if !validName(name) {
		panic(fmt.Sprintf("checkpoint: %q cannot name an instance: use 1 to 100 characters of A-Z a-z 0-9 _ . -", name))
	}
	return &Instance{store: s, name: name, journal: s.journal(name)}
}

// Instances gives the names of the instances that have a checkpoint, in order.
func (s *Store) Instances() ([]string, error) {
	var names []string
	err := s.view(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{entry.SpaceCheckpoint}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			names = append(names, string(it.Item().Key()[1:]))
		}
		return nil
	})
	if err != nil {
		return nil, s.failed(fmt.Sprintf("list the instances in %q", s.dir), err)
	}
	return names, nil
}

// Name is the name of the instance.
func (i *Instance) Name() string { return i.name }

// Load gives the last checkpoint, and false when there is none. The error wraps
// ErrCorrupt when it is damaged.
func (i *Instance) Load() (Checkpoint, bool, error) {
	raw, found, err := i.store.read(entry.CheckpointKey(i.name), i.name, kindNameCheckpoint, "")
	if err != nil || !found {
		return Checkpoint{}, false, err
	}
	c, err := decodeCheckpoint(raw)
	if err != nil {
		return Checkpoint{}, false, &CorruptError{Instance: i.name, Kind: kindNameCheckpoint, Reason: err.Error()}
	}
	return c, true, nil
}

// Key gives the state of one key, as a copy, and false when it has none. The error wraps
// ErrCorrupt when it is damaged.
func (i *Instance) Key(key string) (value []byte, found bool, err error) {
	if len(key) > MaxKey {
		return nil, false, nil
	}
	if value, found := i.journal.Get(key); found {
		return value, value != nil, i.store.isOpen()
	}
	return i.store.readShared(entry.OwnedKey(entry.SpaceKey, i.name, key), i.name, kindNameKey, key)
}

// Keys calls fn with the state of every key after the given one, in the order of the
// keys' bytes, as it was when Keys was called. After "" come all keys, also the key that
// is itself empty. The value is fn's to keep. An error of fn ends the walk and is
// returned as it is; a damaged value ends it with an error that wraps ErrCorrupt.
func (i *Instance) Keys(after string, fn func(key string, value []byte) error) error {
	if after == "" {
		return i.KeysFrom("", fn)
	}
	return i.KeysFrom(after+"\x00", fn)
}

// KeysFrom is Keys beginning with the key from itself, if there is one. What follows a
// key is from that key with a zero byte added, which also works for the empty key.
func (i *Instance) KeysFrom(from string, fn func(key string, value []byte) error) error {
	if err := i.store.enter(); err != nil {
		return err
	}
	defer i.store.active.Done()
	w := &walk{instance: i, fn: fn, recent: i.journal.From(from)}
	err := disk.GuardUnless(&w.calling, func() error {
		return i.store.db.View(func(txn *badger.Txn) error { return w.run(txn, from) })
	})
	var corrupt *CorruptError
	if err == nil || w.stopped || errors.As(err, &corrupt) || errors.Is(err, format.ErrNewer) {
		return err
	}
	return i.store.failed(fmt.Sprintf("walk the keys of instance %s", i.name), err)
}

// walk is one call of KeysFrom.
type walk struct {
	instance *Instance
	recent   []Change // what the journal says of keys that are still to come
	fn       func(key string, value []byte) error
	calling  bool // fn is running
	stopped  bool // fn gave an error
}

func (w *walk) run(txn *badger.Txn, from string) error {
	name := w.instance.name
	prefix := entry.OwnedKey(entry.SpaceKey, name, "")
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Seek(entry.OwnedKey(entry.SpaceKey, name, from)); it.Valid(); it.Next() {
		full := it.Item().KeyCopy(nil)
		key := string(full[len(prefix):])
		if err := w.callRecent(func(c Change) bool { return c.Key < key }); err != nil {
			return err
		}
		if len(w.recent) > 0 && w.recent[0].Key == key {
			continue // the next turn, or the end, has it
		}
		content, err := value(txn, it.Item(), full)
		if err != nil {
			return valueError(CorruptError{Instance: name, Kind: kindNameKey, Key: key}, err)
		}
		if err := w.call(key, content); err != nil {
			return err
		}
	}
	return w.callRecent(func(Change) bool { return true })
}

// callRecent calls fn with what the journal has next.
func (w *walk) callRecent(isNext func(Change) bool) error {
	for len(w.recent) > 0 && isNext(w.recent[0]) {
		c := w.recent[0]
		w.recent = w.recent[1:]
		if c.Value == nil {
			continue
		}
		if err := w.call(c.Key, c.Value); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) call(key string, content []byte) error {
	w.calling = true
	err := w.fn(key, content)
	w.calling = false
	w.stopped = err != nil
	return err
}

// read gives a copy of the value under a Badger key. The rest names it in errors.
func (s *Store) read(full []byte, instance, kind, key string) (payload []byte, found bool, err error) {
	return s.readIn(s.view, full, instance, kind, key)
}

// readShared is read in a snapshot that other readers may have too, which is cheaper. It is as
// old as the last Write at most.
func (s *Store) readShared(full []byte, instance, kind, key string) (payload []byte, found bool, err error) {
	return s.readIn(s.viewShared, full, instance, kind, key)
}

func (s *Store) readIn(view func(func(*badger.Txn) error) error, full []byte, instance, kind, key string) (payload []byte, found bool, err error) {
	var bad error
	err = view(func(txn *badger.Txn) error {
		item, err := txn.Get(full)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			bad = err
			return nil
		}
		found = true
		payload, bad = value(txn, item, full)
		return nil
	})
	if errors.Is(err, disk.ErrUnreadable) {
		bad = err
	}
	if bad != nil {
		return nil, false, valueError(CorruptError{Instance: instance, Kind: kind, Key: key}, bad)
	}
	return payload, found, err
}

// value checks an item's value and gives a copy of its content; never nil.
func value(txn *badger.Txn, item *badger.Item, full []byte) (content []byte, err error) {
	var pieces *head
	err = item.Value(func(raw []byte) error {
		kind, payload, err := entry.Unseal(full, raw)
		if err != nil {
			return err
		}
		if kind == entry.FormatPieces {
			h, err := decodeHead(payload)
			pieces = &h
			return err
		}
		content = append(make([]byte, 0, len(payload)), payload...)
		return nil
	})
	if err != nil || pieces == nil {
		return content, err
	}
	return readPieces(txn, *pieces)
}

// view runs fn on a snapshot of the store.
func (s *Store) view(fn func(*badger.Txn) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	return disk.Guard(func() error { return s.db.View(fn) })
}
