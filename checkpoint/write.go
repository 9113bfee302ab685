package checkpoint

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
	"penstock/checkpoint/internal/journal"
	"penstock/internal/counted"
)

// pendingTransactions bounds what a Write has in flight inside Badger to some 10 MB.
const pendingTransactions = 4

// Update is the new checkpoint of one instance, with the keys whose state changed since
// the one before. A nil value deletes its key; an empty one is kept.
type Update struct {
	Instance   *Instance
	Checkpoint Checkpoint
	Keys       map[string][]byte
	Changes    *Changes // more such keys, none of which is in Keys; nil: none
}

// each calls fn for every changed key, in no order. The value may alias the changes.
func (u Update) each(fn func(hash uint32, key, value []byte) error) error {
	for key, value := range u.Keys {
		if err := fn(journal.HashOf(key), []byte(key), value); err != nil {
			return err
		}
	}
	return u.Changes.Each(fn)
}

// Write stores the checkpoints of any number of instances, each at most once. First the
// keys of all of them become durable, then the checkpoints; so a crash, or an error, can
// leave keys that are newer than their checkpoint, and never the other way around. When
// Write returns nil everything is durable. Writes take turns. The caller must not change
// the values before Write returns.
//
// The error wraps ErrTooLarge, with nothing written, when a value is over its limit, and
// ErrNoSpace when the disk is nearly full.
// Writing the same updates again after an error is safe.
func (s *Store) Write(updates []Update) error {
	if err := s.check(updates); err != nil {
		return err
	}
	if len(updates) == 0 {
		return nil
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.reserve.Check(s.sizeOf(updates)); err != nil {
		return fmt.Errorf("checkpoint: write %s: %w", counted.Things(len(updates), "checkpoint"), err)
	}
	defer s.snapshots.renew()
	if err := s.write(func(w *writer) error { return w.run(updates) }); err != nil {
		return s.failed(fmt.Sprintf("write %s to %q", counted.Things(len(updates), "checkpoint"), s.dir), err)
	}
	for _, u := range updates {
		if s.isJournal(u) {
			u.Instance.journal.Add(u.each)
		}
	}
	// Only now, so that whatever comes in between, there are new checkpoints.
	if err := s.write(func(w *writer) error { return w.tidy(updates) }); err != nil {
		return s.failed(fmt.Sprintf("compact the journals in %q", s.dir), err)
	}
	return nil
}

func (s *Store) write(run func(*writer) error) error {
	w := &writer{store: s, fresh: map[string]head{}}
	if err := disk.Guard(func() error { return run(w) }); err != nil {
		return err
	}
	w.retire()
	return nil
}

func (s *Store) check(updates []Update) error {
	seen := make(map[string]bool, len(updates))
	for _, u := range updates {
		if u.Instance == nil || u.Instance.store != s {
			panic("checkpoint: Write got an update without an instance of this store: use its Instance method")
		}
		name := u.Instance.name
		if seen[name] {
			return fmt.Errorf("checkpoint: write: instance %s has two updates: merge them", name)
		}
		seen[name] = true
		if n := len(u.Checkpoint.Record); n > MaxValue {
			return fmt.Errorf("checkpoint: write: record of instance %s: %w: %d bytes, limit %d: keep state by key",
				name, ErrTooLarge, n, MaxValue)
		}
		if key, value := u.Changes.Longest(); len(u.Keys) == 0 && key <= MaxKey && value <= MaxValue {
			continue
		}
		if err := u.each(func(_ uint32, key, value []byte) error { return checkKey(name, key, value) }); err != nil {
			return err
		}
	}
	return nil
}

func checkKey(instance string, key, value []byte) error {
	if len(key) > MaxKey {
		return fmt.Errorf("checkpoint: write: key %.100q of instance %s: %w: %d bytes, limit %d: use a shorter key",
			key, instance, ErrTooLarge, len(key), MaxKey)
	}
	if len(value) > MaxValue {
		return fmt.Errorf("checkpoint: write: state of key %.100q of instance %s: %w: %d bytes, limit %d: spread it over more keys",
			key, instance, ErrTooLarge, len(value), MaxValue)
	}
	return nil
}

// sizeOf is about what a Write of the updates takes.
func (s *Store) sizeOf(updates []Update) (bytes int) {
	for _, u := range updates {
		bytes += len(u.Checkpoint.Record)
		for key, value := range u.Keys {
			bytes += len(key) + len(value)
		}
		if u.Changes != nil {
			bytes += u.Changes.Size()
		}
	}
	return bytes
}

// writer is one Write, or what tidies up after it.
type writer struct {
	store *Store
	fresh map[string]head // the large values of this Write
	dead  []uint64        // generations that it replaces
}

func (w *writer) run(updates []Update) error {
	phases := []func(*badger.WriteBatch, Update) (int, error){w.pieces, w.keys}
	for _, phase := range phases {
		if err := w.phase(updates, phase); err != nil {
			return err
		}
	}
	if err := w.endStep(); err != nil {
		return err
	}
	return w.phase(updates, w.checkpoint)
}

// endStep runs between two steps of which the second relies on the first. A process that sees the
// second, sees the first, after a crash too.
func (w *writer) endStep() error {
	w.store.snapshots.renew()
	return w.store.noteTables()
}

// phase writes one kind of entry of all updates.
func (w *writer) phase(updates []Update, put func(*badger.WriteBatch, Update) (int, error)) error {
	return w.durably(func(wb *badger.WriteBatch) (total int, err error) {
		for _, u := range updates {
			n, err := put(wb, u)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	})
}

// durably brings the entries that put writes to the disk, if there are any.
func (w *writer) durably(put func(*badger.WriteBatch) (count int, err error)) error {
	wb := w.store.db.NewWriteBatch()
	wb.SetMaxPendingTxns(pendingTransactions)
	defer wb.Cancel()
	if count, err := put(wb); err != nil || count == 0 {
		return err
	}
	if err := wb.Flush(); err != nil {
		return err
	}
	return w.store.sync()
}

func (w *writer) pieces(wb *badger.WriteBatch, u Update) (n int, err error) {
	cut := func(key, value []byte) error {
		if len(value) <= pieceSize {
			return nil
		}
		n++
		w.store.generation++
		h, err := writePieces(wb, w.store.generation, key, value)
		w.fresh[string(key)] = h
		return err
	}
	if _, longest := u.Changes.Longest(); len(u.Keys) == 0 && longest <= pieceSize {
		return n, cut(entry.CheckpointKey(u.Instance.name), encodeCheckpoint(u.Checkpoint))
	}
	err = u.each(func(_ uint32, key, value []byte) error {
		if len(value) <= pieceSize {
			return nil
		}
		return cut(entry.OwnedKey(entry.SpaceKey, u.Instance.name, key), value)
	})
	if err != nil {
		return n, err
	}
	return n, cut(entry.CheckpointKey(u.Instance.name), encodeCheckpoint(u.Checkpoint))
}

func (w *writer) keys(wb *badger.WriteBatch, u Update) (int, error) {
	name := u.Instance.name
	isJournal := w.store.isJournal(u)
	blocks := u.Instance.journal.Writer(wb, name)
	n := 0
	err := u.each(func(_ uint32, key, value []byte) error {
		n++
		if isJournal {
			if err := blocks.Add(key, value); err != nil || journal.IsJournaled(value) {
				return err
			}
		}
		return w.put(wb, entry.OwnedKey(entry.SpaceKey, name, key), value)
	})
	if err != nil {
		return 0, err
	}
	return n, blocks.Flush()
}

func (w *writer) checkpoint(wb *badger.WriteBatch, u Update) (int, error) {
	return 1, w.put(wb, entry.CheckpointKey(u.Instance.name), encodeCheckpoint(u.Checkpoint))
}

// put writes a value, the head of one that is in pieces, or a delete.
func (w *writer) put(wb *badger.WriteBatch, key, value []byte) error {
	if old, ok := w.store.large[string(key)]; ok {
		w.dead = append(w.dead, old)
	}
	if value == nil {
		return wb.Delete(key)
	}
	if h, ok := w.fresh[string(key)]; ok {
		return wb.Set(key, entry.Seal(key, entry.FormatPieces, h.encode()))
	}
	return wb.Set(key, entry.Seal(key, entry.FormatWhole, value))
}

// retire drops the pieces of the values that this Write replaced. What it cannot drop
// only takes space, until the next Open.
func (w *writer) retire() {
	s := w.store
	if len(w.dead) > 0 {
		dead := make(map[uint64]bool, len(w.dead))
		for _, generation := range w.dead {
			dead[generation] = true
		}
		for key, generation := range s.large {
			if dead[generation] {
				delete(s.large, key)
			}
		}
	}
	for key, h := range w.fresh {
		s.large[key] = h.generation
	}
	for _, generation := range w.dead {
		if err := disk.Guard(func() error { return s.drop(generation) }); err != nil {
			s.logger.Warn("cannot free the space of a replaced value until the store is opened again",
				"store", s.dir, "error", err)
		}
	}
}
