package frame

import (
	"encoding/binary"
	"fmt"
	"math"
)

// reader takes a body apart. The first failure sticks: after it every read returns zero, so that the caller checks once
// per list. where names the part under way, index its number in a list or -1.
type reader struct {
	data  []byte
	at    int
	where string
	index int
	err   error

	announced Features  // what the frame says that it uses
	found     Features  // what it uses
	stateKind StateKind // also of a state that is left out
}

func (r *reader) part(where string) { r.where, r.index = where, -1 }

func (r *reader) fail(kind error, detail string) {
	if r.err != nil {
		return
	}
	where := r.where
	if r.index >= 0 {
		where = fmt.Sprintf("%s %d", where, r.index)
	}
	r.err = fmt.Errorf("frame: %s, byte %d of the body: %w: %s", where, r.at, kind, detail)
	r.at = len(r.data)
}

func (r *reader) number() uint64 {
	if r.at < len(r.data) && r.data[r.at] < 0x80 {
		r.at++
		return uint64(r.data[r.at-1])
	}
	v, n, err := checkedUvarint(r.data[r.at:])
	if err != nil {
		r.fail(err, "number")
		return 0
	}
	r.at += n
	return v
}

func (r *reader) number32() uint32 {
	v := r.number()
	if v > math.MaxUint32 {
		r.fail(ErrCorrupt, fmt.Sprintf("number %d needs more than 32 bits", v))
		return 0
	}
	return uint32(v)
}

func (r *reader) byte() byte {
	if r.at >= len(r.data) {
		r.fail(ErrTruncated, "the data ends too early")
		return 0
	}
	r.at++
	return r.data[r.at-1]
}

func (r *reader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.data)-r.at) {
		r.fail(ErrTruncated, fmt.Sprintf("%d bytes wanted, %d left", n, len(r.data)-r.at))
		return nil
	}
	end := r.at + int(n)
	b := r.data[r.at:end:end]
	r.at = end
	return b
}

// count reads the length of a list whose entries take at least least bytes each, so that what is allocated for it is
// never out of proportion to what there is to read.
func (r *reader) count(least int) int {
	n := r.number()
	if n > uint64((len(r.data)-r.at)/least) {
		r.fail(ErrTruncated, fmt.Sprintf("%d entries announced, %d bytes left", n, len(r.data)-r.at))
		return 0
	}
	return int(n)
}

// checkedUvarint reads a varint of minimal length from bytes that may be anything.
func checkedUvarint(b []byte) (v uint64, n int, err error) {
	v, n = binary.Uvarint(b)
	switch {
	case n == 0:
		return 0, 0, ErrTruncated
	case n < 0, n > 1 && b[n-1] == 0: // more than 64 bits, or longer than needed
		return 0, 0, ErrCorrupt
	}
	return v, n, nil
}
