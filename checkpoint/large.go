package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
)

// A value over pieceSize is stored as a head under its own key and pieces under a
// generation number that is used once. The pieces are durable before the head that
// points at them, and those of the value before go only after that, so a crash leaves
// pieces that nothing points at, and never a head without its pieces.

// head points at the pieces of a value.
type head struct {
	generation uint64
	size       uint64
	pieces     uint32
}

func (h head) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, h.generation)
	b = binary.BigEndian.AppendUint64(b, h.size)
	return binary.BigEndian.AppendUint32(b, h.pieces)
}

func decodeHead(b []byte) (head, error) {
	if len(b) != 20 {
		return head{}, fmt.Errorf("the head of a large value has %d bytes", len(b))
	}
	h := head{
		generation: binary.BigEndian.Uint64(b),
		size:       binary.BigEndian.Uint64(b[8:]),
		pieces:     binary.BigEndian.Uint32(b[16:]),
	}
	if h.size > MaxValue+entry.Envelope+16 {
		return head{}, fmt.Errorf("%d bytes declared for a large value", h.size)
	}
	return h, nil
}

// writePieces stores value under a new generation, and first whose it is.
func writePieces(wb *badger.WriteBatch, generation uint64, owner, value []byte) (head, error) {
	h := head{generation: generation, size: uint64(len(value))}
	key := entry.GenerationKey(entry.SpaceOwner, generation)
	if err := wb.Set(key, entry.Seal(key, entry.FormatWhole, owner)); err != nil {
		return h, err
	}
	for ; len(value) > 0; h.pieces++ {
		n := min(pieceSize, len(value))
		key := entry.PieceKey(generation, h.pieces)
		if err := wb.Set(key, entry.Seal(key, entry.FormatWhole, value[:n])); err != nil {
			return h, err
		}
		value = value[n:]
	}
	return h, nil
}

// readPieces puts a large value together.
func readPieces(txn *badger.Txn, h head) ([]byte, error) {
	value := make([]byte, 0, h.size)
	for i := range h.pieces {
		key := entry.PieceKey(h.generation, i)
		item, err := txn.Get(key)
		if err != nil {
			return nil, fmt.Errorf("piece %d of %d: %w", i, h.pieces, err)
		}
		err = item.Value(func(raw []byte) error {
			_, payload, err := entry.Unseal(key, raw)
			value = append(value, payload...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("piece %d of %d: %w", i, h.pieces, err)
		}
	}
	if uint64(len(value)) != h.size {
		return nil, fmt.Errorf("%d bytes in pieces where %d belong", len(value), h.size)
	}
	return value, nil
}

// drop removes the pieces of a generation that nothing points at any more.
func (s *Store) drop(generation uint64) error {
	return s.db.Update(func(txn *badger.Txn) error {
		if err := txn.Delete(entry.GenerationKey(entry.SpaceOwner, generation)); err != nil {
			return err
		}
		keys := badger.IteratorOptions{Prefix: entry.GenerationKey(entry.SpacePiece, generation)}
		it := txn.NewIterator(keys)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := txn.Delete(it.Item().KeyCopy(nil)); err != nil {
				return err
			}
		}
		return nil
	})
}

// reclaim runs at Open: it learns which values are in pieces and drops the generations
// that a crash left over.
func (s *Store) reclaim() error {
	s.large = map[string]uint64{}
	live := map[uint64]bool{}
	var dead []uint64
	err := s.db.View(func(txn *badger.Txn) error {
		if err := s.findLarge(txn, live); err != nil {
			return err
		}
		for _, space := range []byte{entry.SpaceOwner, entry.SpacePiece} {
			dead = append(dead, s.deadGenerations(txn, space, live)...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, generation := range dead {
		if err := s.drop(generation); err != nil {
			return fmt.Errorf("remove a large value that is no longer used: %w", err)
		}
	}
	return nil
}

// findLarge follows every owner entry to the owner's head and notes those that agree.
func (s *Store) findLarge(txn *badger.Txn, live map[uint64]bool) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{entry.SpaceOwner}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		key := it.Item().KeyCopy(nil)
		generation, ok := entry.GenerationOf(key)
		if !ok {
			return fmt.Errorf("%w: an owner of pieces has no generation", disk.ErrUnreadable)
		}
		raw, err := it.Item().ValueCopy(nil)
		if err != nil {
			return err
		}
		_, owner, err := entry.Unseal(key, raw)
		if err != nil {
			return fmt.Errorf("%w: owner of pieces: %w", disk.ErrUnreadable, err)
		}
		current, err := headOf(txn, owner)
		if err != nil {
			return err
		}
		if current == generation {
			s.large[string(owner)] = generation
			live[generation] = true
		}
	}
	return nil
}

// headOf gives the generation that the value under key points at; 0 when it points at
// none. Damage is left for the reader of that value to report.
func headOf(txn *badger.Txn, key []byte) (generation uint64, err error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = item.Value(func(raw []byte) error {
		format, payload, err := entry.Unseal(key, raw)
		if err != nil || format != entry.FormatPieces {
			return nil
		}
		if h, err := decodeHead(payload); err == nil {
			generation = h.generation
		}
		return nil
	})
	return generation, err
}

// deadGenerations skips from generation to generation, so its cost does not grow with
// the size of the values.
func (s *Store) deadGenerations(txn *badger.Txn, space byte, live map[uint64]bool) (dead []uint64) {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{space}})
	defer it.Close()
	for it.Rewind(); it.Valid(); {
		generation, ok := entry.GenerationOf(it.Item().Key())
		if !ok {
			it.Next()
			continue
		}
		s.generation = max(s.generation, generation)
		if !live[generation] {
			dead = append(dead, generation)
		}
		it.Seek(entry.GenerationKey(space, generation+1))
	}
	return dead
}
