package blocks

import "penstock/internal/bitflip"

// mostCorrected bounds the time it takes to find a flipped bit: every bit is tried, with a checksum of everything.
const mostCorrected = 32 << 10

// correctable finds the flipped bit of the record that data begins with.
func (r reader) correctable(data []byte) (bit int64, size int, found bool) {
	if len(data) < headSize+sumSize {
		return -1, 0, false
	}
	ok := func() bool {
		_, n, err := r.read(data)
		size = n
		return err == nil
	}
	if bit, found = bitflip.Find(data[:headSize], ok); found {
		return bit, size, true
	}
	if _, size, _ = r.read(data); size < headSize+sumSize || size > min(len(data), mostCorrected) {
		return -1, 0, false
	}
	record := size
	bit, found = bitflip.Find(data[headSize:record], ok)
	return bit + headSize*8, record, found
}
