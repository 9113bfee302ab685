package journal

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
)

// blockSize is where a block of a journal is full. With the largest change that may
// still come it is below pieceSize.
const blockSize = 160 << 10

// Address is where a block stands.
type Address struct{ Volume, Index uint32 }

// Blocks are those of one journal, in the order they were written. Their numbers, which
// they begin with, tell it to the next Open.
//
// A journal that is written anew goes to the lowest volume that is free, so to two in
// turn. Badger then replaces the old blocks when it merges tables. Blocks under keys that
// only ever rise would stay, each until the mark of its deletion has sunk as deep.
type Blocks struct {
	Addresses []Address
	Bytes     int
	number    uint64 // of the last
	Last      Address
}

// Turn lets the next block begin a volume.
func (b *Blocks) Turn() {
	used := map[uint32]bool{}
	for _, at := range b.Addresses {
		used[at.Volume] = true
	}
	b.Last = Address{}
	for used[b.Last.Volume] {
		b.Last.Volume++
	}
}

// next gives the address and the number of a new block of that size.
func (b *Blocks) next(size int) (Address, uint64) {
	b.Last.Index++
	b.Addresses = append(b.Addresses, b.Last)
	b.Bytes += size
	b.number++
	return b.Last, b.number
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
	j     *Journal
	name  string
	block []byte
}

// Add writes a change; the block that it fills goes to Badger.
func (w *blockWriter) Add(key []byte, value []byte) error {
	if len(w.block) == 0 {
		w.block = append(w.block, make([]byte, blockHead)...)
	}
	b := binary.AppendUvarint(w.block, uint64(len(key)))
	b = append(b, key...)
	switch {
	case value == nil:
		b = append(b, blockDelete)
	case !IsJournaled(value):
		b = append(b, blockElsewhere)
	default:
		b = append(b, blockSet)
		b = binary.AppendUvarint(b, uint64(len(value)))
		b = append(b, value...)
	}
	if w.block = b; len(b) < blockSize {
		return nil
	}
	return w.Flush()
}

// Flush writes the block that is begun.
func (w *blockWriter) Flush() error {
	if len(w.block) == 0 {
		return nil
	}
	at, number := w.j.Blocks.next(len(w.block))
	binary.BigEndian.PutUint64(w.block, number)
	key := BlockKey(w.name, at)
	err := w.wb.Set(key, entry.Seal(key, entry.FormatWhole, w.block))
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
	Key    []byte
	Name   string
	at     Address
	number uint64
}

// FindBlocks gives the blocks of all journals in the order they were written.
func FindBlocks(txn *badger.Txn) (blocks []found, err error) {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{entry.SpaceJournal}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		f := found{Key: it.Item().KeyCopy(nil)}
		var ok bool
		if f.Name, f.at, ok = blockOf(f.Key); !ok {
			return nil, fmt.Errorf("%w: a block of a journal has no address", disk.ErrUnreadable)
		}
		err := it.Item().Value(func(raw []byte) error {
			if len(raw) < entry.Envelope+blockHead {
				return fmt.Errorf("%w: a block of the journal of %s has no number", disk.ErrUnreadable, f.Name)
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

// Load takes a block that was found at Open.
func (j *Journal) Load(f found, block []byte) error {
	b := &j.Blocks
	b.Addresses, b.Bytes, b.number, b.Last = append(b.Addresses, f.at), b.Bytes+len(block), f.number, f.at
	to := setter{to: j.Changes}
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
