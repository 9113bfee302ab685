package frame

import "encoding/binary"

// Iterator walks through the messages of a section. It is a small value: a copy is an independent iterator at the same
// place. It stays valid until its section is changed.
type Iterator struct {
	rest   []byte
	offset uint64
	time   int64
}

// Offset returns the offset of the message that Next would return.
func (it *Iterator) Offset() uint64 { return it.offset }

// Next returns the next message, or false after the last one. The message aliases the frame's bytes: its key and value
// may be kept as long as those, and must not be changed.
func (it *Iterator) Next() (m Message, ok bool) {
	b := it.rest
	if len(b) == 0 {
		return Message{}, false
	}
	keyed := b[0] == rowKeyed
	u, n := uvarint(b[1:])
	b = b[1+n:]
	it.time += unzigzag(u)
	m.Time = it.time
	if keyed {
		u, n = uvarint(b)
		end := n + int(u)
		m.Key = b[n:end:end]
		b = b[end:]
	}
	u, n = uvarint(b)
	end := n + int(u)
	m.Value = b[n:end:end]
	it.rest = b[end:]
	it.offset++
	return m, true
}

// Skip leaves out the next n messages, or all that are left if there are fewer.
func (it *Iterator) Skip(n uint64) {
	for ; n > 0; n-- {
		if _, ok := it.Next(); !ok {
			return
		}
	}
}

// uvarint reads from bytes that are known to be sound.
func uvarint(b []byte) (uint64, int) {
	if b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return binary.Uvarint(b)
}
