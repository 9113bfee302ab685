package blocks

// mostCorrected bounds the time it takes to find a flipped bit: every bit is tried, with a checksum of everything.
const mostCorrected = 32 << 10

// flippedBit finds the one bit of data that has to be flipped for ok to hold, and leaves data as it was. With a
// checksum of 64 bits, and bits by the hundred thousand, one that fits by chance is not to be expected.
func flippedBit(data []byte, ok func() bool) (bit int64, found bool) {
	for at := range data {
		for b := range 8 {
			data[at] ^= 1 << b
			found = ok()
			data[at] ^= 1 << b
			if found {
				return int64(at)*8 + int64(b), true
			}
		}
	}
	return -1, false
}

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
	if bit, found = flippedBit(data[:headSize], ok); found {
		return bit, size, true
	}
	if _, size, _ = r.read(data); size < headSize+sumSize || size > min(len(data), mostCorrected) {
		return -1, 0, false
	}
	record := size
	bit, found = flippedBit(data[headSize:record], ok)
	return bit + headSize*8, record, found
}
