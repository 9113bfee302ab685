package bitflip

// Find returns the one bit of data that has to be flipped for ok to hold, and leaves data as it was. ok reads data, and
// is called for each bit: with a checksum of 64 bits, and bits by the hundred thousand, one that fits by chance is not
// to be expected.
func Find(data []byte, ok func() bool) (bit int64, found bool) {
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
