package frame

import "fmt"

// checkBlock walks through the messages of a section as an Iterator will, but trusts nothing. It returns the time of
// the last one.
func checkBlock(block []byte, count uint32) (last int64, err error) {
	at := 0
	for i := range count {
		if at >= len(block) {
			return 0, fmt.Errorf("message %d: %w: %d messages announced", i, ErrTruncated, count)
		}
		flags := block[at]
		if flags&^rowKeyed != 0 {
			return 0, fmt.Errorf("message %d: %w: unknown flags %#x", i, ErrCorrupt, flags)
		}
		at++
		delta, n, err := rowNumber(block, at)
		if err != nil {
			return 0, fmt.Errorf("message %d, time: %w", i, err)
		}
		at += n
		last += unzigzag(delta)
		if flags&rowKeyed != 0 {
			if at, err = skipBytes(block, at); err != nil {
				return 0, fmt.Errorf("message %d, key: %w", i, err)
			}
		}
		if at, err = skipBytes(block, at); err != nil {
			return 0, fmt.Errorf("message %d, value: %w", i, err)
		}
	}
	if at < len(block) {
		return 0, fmt.Errorf("end: %w: %d bytes follow message %d", ErrCorrupt, len(block)-at, count)
	}
	return last, nil
}

func rowNumber(b []byte, at int) (v uint64, n int, err error) {
	if at < len(b) && b[at] < 0x80 {
		return uint64(b[at]), 1, nil
	}
	return checkedUvarint(b[at:])
}

func skipBytes(b []byte, at int) (int, error) {
	u, n, err := rowNumber(b, at)
	if err != nil {
		return 0, err
	}
	at += n
	if u > uint64(len(b)-at) {
		return 0, fmt.Errorf("%w: %d bytes wanted, %d left", ErrTruncated, u, len(b)-at)
	}
	return at + int(u), nil
}
