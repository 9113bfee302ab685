package wordcount

import (
	"encoding/binary"
	"fmt"

	"penstock/engine"
)

// Count is how often a word occurs.
type Count struct {
	Word string
	N    uint64
}

// countCodec writes the number and then the word, which is shorter than the
// default. It shows how a codec of one's own is made.
type countCodec struct{}

var _ engine.Codec[Count] = countCodec{}

func (countCodec) Name() string { return "word-count" }

func (countCodec) Append(dst []byte, c Count) ([]byte, error) {
	return append(binary.AppendUvarint(dst, c.N), c.Word...), nil
}

func (countCodec) Decode(data []byte) (Count, error) {
	n, size := binary.Uvarint(data)
	if size <= 0 {
		return Count{}, fmt.Errorf("a count of %d bytes that does not begin with a number", len(data))
	}
	return Count{Word: string(data[size:]), N: n}, nil
}
