package frame

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
)

// Compression is a way to make frames smaller.
type Compression uint8

const (
	None Compression = iota // plain
	S2                      // fast; pays for small, similar values
)

// String returns the name of c, in lower case.
func (c Compression) String() string {
	switch c {
	case None:
		return "none"
	case S2:
		return "s2"
	}
	return fmt.Sprintf("compression %d", uint8(c))
}

// scratch holds buffers for compressed bodies.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch keeps one very large frame from pinning its buffer for good.
const maxScratch = 4 << 20

// compress replaces what follows dst[:at] by its compressed form, unless that is no smaller.
func compress(dst []byte, at int) (_ []byte, compressed bool) {
	body := dst[at:]
	buf := scratch.Get().(*[]byte)
	if need := s2.MaxEncodedLen(len(body)); cap(*buf) < need {
		*buf = make([]byte, need)
	}
	small := s2.Encode((*buf)[:cap(*buf)], body)
	if len(small) < len(body) {
		dst, compressed = append(dst[:at], small...), true
	}
	if cap(*buf) <= maxScratch {
		scratch.Put(buf)
	}
	return dst, compressed
}

func decompress(body []byte) ([]byte, error) {
	n, err := s2.DecodedLen(body)
	if err != nil {
		return nil, fmt.Errorf("frame: compressed body: %w: no readable length (%v)", ErrCorrupt, err)
	}
	if n > MaxSize {
		return nil, fmt.Errorf("frame: compressed body: %w: decompresses to %d bytes, the limit is %d", ErrTooLarge, n, MaxSize)
	}
	plain, err := s2.Decode(nil, body)
	if err != nil {
		return nil, fmt.Errorf("frame: compressed body: %w: %v", ErrCorrupt, err)
	}
	return plain, nil
}
