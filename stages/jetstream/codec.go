package jetstream

import (
	"encoding/binary"
	"time"
	"unicode/utf8"

	"penstock/engine"
)

// codec writes messages as engine.CBOR does, to the byte, and reads what that reads. It is several times faster for
// what a source mostly sends: a message without headers.
type codec struct{ engine.Codec[Message] }

var messageCodec = codec{engine.CBOR[Message]()}

// The parts of such a message, as CBOR.
const (
	head         = "\xd9\xd9\xf7\xa4" // self-described CBOR, a map of four
	keySubject   = "\x67subject"
	keyData      = "\x64data"
	keySequence  = "\x68sequence"
	keyTime      = "\x64time\xc0" // a date as text
	majorNumber  = 0 << 5
	majorBytes   = 2 << 5
	majorText    = 3 << 5
	mostTimeText = 30 // bytes
)

// Append appends the bytes of a message.
func (c codec) Append(dst []byte, m Message) ([]byte, error) {
	year := m.Time.Year()
	if len(m.Header) > 0 || m.Data == nil || m.Sequence == 0 || m.Time.IsZero() || m.Time.Location() != time.UTC || year < 0 || year > 9999 || !utf8.ValidString(m.Subject) {
		return c.Codec.Append(dst, m)
	}
	dst = append(dst, head...)
	dst = append(dst, keySubject...)
	dst = append(appendHead(dst, majorText, uint64(len(m.Subject))), m.Subject...)
	dst = append(dst, keyData...)
	dst = append(appendHead(dst, majorBytes, uint64(len(m.Data))), m.Data...)
	dst = append(dst, keySequence...)
	dst = appendHead(dst, majorNumber, m.Sequence)
	dst = append(dst, keyTime...)
	var text [mostTimeText + 5]byte
	at := m.Time.AppendFormat(text[:0], time.RFC3339Nano)
	return append(appendHead(dst, majorText, uint64(len(at))), at...), nil
}

// appendHead appends the head of an item, in the fewest bytes.
func appendHead(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

// Decode reads a message, however it was written.
func (c codec) Decode(data []byte) (Message, error) {
	if m, ok := decodeFast(data); ok {
		return m, nil
	}
	return c.Codec.Decode(data)
}

// decodeFast reads exactly what Append writes; ok is false for anything else.
func decodeFast(data []byte) (m Message, ok bool) {
	r := cursor{data, true}
	r.skip(head)
	r.skip(keySubject)
	m.Subject = string(r.item(majorText))
	r.skip(keyData)
	m.Data = append([]byte{}, r.item(majorBytes)...)
	r.skip(keySequence)
	m.Sequence = r.head(majorNumber)
	r.skip(keyTime)
	text := r.item(majorText)
	if !r.ok || len(r.data) > 0 || len(text) == 0 || text[len(text)-1] != 'Z' || !utf8.ValidString(m.Subject) {
		return m, false
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	m.Time = at.UTC()
	return m, err == nil
}

// cursor reads items; ok is false from the first one on that is not as expected.
type cursor struct {
	data []byte
	ok   bool
}

func (r *cursor) skip(text string) {
	if !r.ok || len(r.data) < len(text) || string(r.data[:len(text)]) != text {
		r.ok = false
		return
	}
	r.data = r.data[len(text):]
}

func (r *cursor) head(major byte) (n uint64) {
	if !r.ok || len(r.data) == 0 || r.data[0]&^31 != major {
		r.ok = false
		return 0
	}
	info := r.data[0] & 31
	if info < 24 {
		r.data = r.data[1:]
		return uint64(info)
	}
	size := 1 << (info - 24)
	if info > 27 || len(r.data) < 1+size {
		r.ok = false
		return 0
	}
	for _, b := range r.data[1 : 1+size] {
		n = n<<8 | uint64(b)
	}
	r.data = r.data[1+size:]
	return n
}

func (r *cursor) item(major byte) []byte {
	n := r.head(major)
	if !r.ok || n > uint64(len(r.data)) {
		r.ok = false
		return nil
	}
	item := r.data[:n]
	r.data = r.data[n:]
	return item
}
