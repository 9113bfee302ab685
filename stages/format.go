package stages

// Format appends what a sink writes for a value to dst and returns the
// result, as append does. It must not keep dst.
type Format[T any] func(dst []byte, value T) []byte

// Line is the Format that writes a text as one line.
func Line[T ~string | ~[]byte](dst []byte, value T) []byte {
	dst = append(dst, value...)
	return append(dst, '\n')
}

// flushAt is how much a sink keeps in memory before it writes in the middle of
// a batch.
const flushAt = 256 << 10
