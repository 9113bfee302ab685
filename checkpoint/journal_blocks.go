package checkpoint

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// blockSize is where a block of a journal is full. With the largest change that may
// still come it is below pieceSize.
const blockSize = 160 << 10

// address is where a block stands.
type address struct{ volume, index uint32 }

// blocks are those of one journal, in the order they were written. Their numbers, which
// they begin with, tell it to the next Open.
//
// A journal that is written anew goes to the lowest volume that is free, so to two in
// turn. Badger then replaces the old blocks when it merges tables. Blocks under keys that
// only ever rise would stay, each until the mark of its deletion has sunk as deep.
type blocks struct {
	addresses []address
	bytes     int
	number    uint64 // of the last
	last      address
}

// turn lets the next block begin a volume.
func (b *blocks) turn() {
	used := map[uint32]bool{}
	for _, at := range b.addresses {
		used[at.volume] = true
	}
	b.last = address{}
	for used[b.last.volume] {
		b.last.volume++
	}
}

// next gives the address and the number of a new block of that size.
func (b *blocks) next(size int) (address, uint64) {
	b.last.index++
	b.addresses = append(b.addresses, b.last)
	b.bytes += size
	b.number++
	return b.last, b.number
}

// The operation of a change in a block.
const (
	blockSet byte = iota
	blockDelete
	blockElsewhere
)

const blockHead = 8 // bytes of the number

// blockWriter cuts changes into blocks.
type blockWriter struct {
	wb    *badger.WriteBatch
	j     *journal
	name  string
	block []byte
}

func (w *blockWriter) add(key []byte, value []byte) error {
	if len(w.block) == 0 {
		w.block = append(w.block, make([]byte, blockHead)...)
	}
	b := binary.AppendUvarint(w.block, uint64(len(key)))
	b = append(b, key...)
	switch {
	case value == nil:
		b = append(b, blockDelete)
	case !isJournaled(value):
		b = append(b, blockElsewhere)
	default:
		b = append(b, blockSet)
		b = binary.AppendUvarint(b, uint64(len(value)))
		b = append(b, value...)
	}
	if w.block = b; len(b) < blockSize {
		return nil
	}
	return w.flush()
}

func (w *blockWriter) flush() error {
	if len(w.block) == 0 {
		return nil
	}
	at, number := w.j.blocks.next(len(w.block))
	binary.BigEndian.PutUint64(w.block, number)
	key := blockKey(w.name, at)
	err := w.wb.Set(key, seal(key, formatWhole, w.block))
	w.block = w.block[:0]
	return err
}

// readBlock calls set with the changes of a block; they alias it.
func readBlock(block []byte, set func(key, value []byte, operation byte)) error {
	next := func() ([]byte, bool) {
		n, size := binary.Uvarint(block)
		if size <= 0 || n > uint64(len(block)-size) {
			return nil, false
		}
		part := block[size : size+int(n) : size+int(n)]
		block = block[size+int(n):]
		return part, true
	}
	for len(block) > 0 {
		key, ok := next()
		if !ok || len(block) == 0 {
			return fmt.Errorf("a block of a journal ends within a key")
		}
		var value []byte
		operation := block[0]
		block = block[1:]
		if operation == blockSet {
			if value, ok = next(); !ok {
				return fmt.Errorf("a block of a journal ends within a state")
			}
		}
		set(key, value, operation)
	}
	return nil
}

// found is a block that a store has when it is opened.
type found struct {
	key    []byte
	name   string
	at     address
	number uint64
}

// loadJournals runs at Open.
func (s *Store) loadJournals() error {
	return s.db.View(func(txn *badger.Txn) error {
		blocks, err := findBlocks(txn)
		if err != nil {
			return err
		}
		for _, f := range blocks {
			item, err := txn.Get(f.key)
			if err != nil {
				return err
			}
			block, err := value(txn, item, f.key)
			if err == nil {
				err = s.journal(f.name).load(f, block)
			}
			if err != nil {
				return fmt.Errorf("%w: journal of %s: %w", errUnreadable, f.name, err)
			}
		}
		return nil
	})
}

// findBlocks gives the blocks of all journals in the order they were written.
func findBlocks(txn *badger.Txn) (blocks []found, err error) {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{spaceJournal}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		f := found{key: it.Item().KeyCopy(nil)}
		var ok bool
		if f.name, f.at, ok = blockOf(f.key); !ok {
			return nil, fmt.Errorf("%w: a block of a journal has no address", errUnreadable)
		}
		err := it.Item().Value(func(raw []byte) error {
			if len(raw) < envelope+blockHead {
				return fmt.Errorf("%w: a block of the journal of %s has no number", errUnreadable, f.name)
			}
			f.number = binary.BigEndian.Uint64(raw[1:])
			return nil
		})
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, f)
	}
	slices.SortFunc(blocks, func(a, b found) int { return cmp.Compare(a.number, b.number) })
	return blocks, nil
}

func (j *journal) load(f found, block []byte) error {
	b := &j.blocks
	b.addresses, b.bytes, b.number, b.last = append(b.addresses, f.at), b.bytes+len(block), f.number, f.at
	to := setter{to: j.changes}
	defer to.flush()
	return readBlock(block[blockHead:], func(key, value []byte, operation byte) {
		length := uint32(len(value))
		switch operation {
		case blockSet:
		case blockDelete:
			length = isDeleted
		default:
			length = isElsewhere
		}
		to.set(hashOfBytes(key), key, value, length)
	})
}

// dropBlocks deletes those that a journal had before. What they say stands elsewhere.
func (w *writer) dropBlocks(name string, j *journal, before blocks) error {
	if err := w.endStep(); err != nil {
		return err
	}
	wb := w.store.db.NewWriteBatch()
	defer wb.Cancel()
	for _, at := range before.addresses {
		if err := wb.Delete(blockKey(name, at)); err != nil {
			return err
		}
	}
	if err := wb.Flush(); err != nil {
		return err
	}
	j.blocks.addresses = slices.Clone(j.blocks.addresses[len(before.addresses):])
	j.blocks.bytes -= before.bytes
	return nil
}
