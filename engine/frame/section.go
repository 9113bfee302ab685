package frame

import "encoding/binary"

// Section holds the messages for one destination, already encoded. The zero value is an empty section. One without
// messages still tells its reader the next offset. It is not safe for concurrent change.
type Section struct {
	Branch    string // empty: the main stream of the stage
	Partition uint32
	Base      uint64 // offset of the first message
	Count     uint32 // number of messages; kept by Append, Truncate and Reset

	block []byte
	last  int64 // time of the last message
}

// Message is one value on its way. Those that an Iterator returns alias the frame's bytes.
type Message struct {
	Key   []byte // nil: none; an empty key is a key
	Time  int64  // Unix nanoseconds
	Value []byte
}

const rowKeyed = 1 // flag of a message with a key

// minRow is the length of the shortest message: flags, time, length of the value.
const minRow = 3

// Append encodes m behind the messages the section has. It keeps nothing of m.
func (s *Section) Append(m Message) {
	b := s.block
	if m.Key == nil {
		b = append(b, 0)
		b = appendUvarint(b, zigzag(m.Time-s.last))
	} else {
		b = append(b, rowKeyed)
		b = appendUvarint(b, zigzag(m.Time-s.last))
		b = appendUvarint(b, uint64(len(m.Key)))
		b = append(b, m.Key...)
	}
	b = appendUvarint(b, uint64(len(m.Value)))
	s.block = append(b, m.Value...)
	s.last = m.Time
	s.Count++
}

// Len returns the length of the encoded messages in bytes.
func (s *Section) Len() int { return len(s.block) }

// Next returns the offset that follows the last message.
func (s *Section) Next() uint64 { return s.Base + uint64(s.Count) }

// Mark is a point in the filling of a section. The zero value is its beginning.
type Mark struct {
	length int
	count  uint32
	last   int64
}

// Mark returns the current end, to come back to with Truncate.
func (s *Section) Mark() Mark { return Mark{len(s.block), s.Count, s.last} }

// Truncate takes back everything appended since m. A mark that lies beyond the section's end, because it was taken from
// another section or before an earlier Truncate or Reset, is a wiring mistake: Truncate panics.
func (s *Section) Truncate(m Mark) {
	if m.length > len(s.block) || m.count > s.Count {
		panic("frame: Truncate to a mark beyond the end of the section")
	}
	s.block, s.Count, s.last = s.block[:m.length], m.count, m.last
}

// Reset empties the section for messages from offset base on. It keeps the buffer, so frames and messages that alias it
// become invalid.
func (s *Section) Reset(base uint64) {
	s.Base, s.Count, s.block, s.last = base, 0, s.block[:0], 0
}

// Messages returns an iterator over the messages from the first one on.
func (s *Section) Messages() Iterator { return Iterator{rest: s.block, offset: s.Base} }

func zigzag(v int64) uint64   { return uint64(v)<<1 ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// appendUvarint has the common case of one byte in a form that the compiler inlines.
func appendUvarint(b []byte, v uint64) []byte {
	if v < 0x80 {
		return append(b, byte(v))
	}
	return binary.AppendUvarint(b, v)
}
