package frame

import "errors"

// The reasons why bytes are not a frame, or a frame cannot become bytes. Errors of this package wrap one of them and say
// where.
var (
	// ErrVersion: the frame was written in a version of the format that this build does not read.
	ErrVersion = errors.New("unknown version")
	// ErrChecksum: the bytes are not the ones that were written. Most damage, a cut tail too, shows as this.
	ErrChecksum = errors.New("checksum does not match")
	// ErrTruncated: the bytes end before the frame does.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt: the bytes are not a frame, or break a rule of the format.
	ErrCorrupt = errors.New("corrupt")
	// ErrTooLarge: the frame, or what it decompresses to, is larger than MaxSize.
	ErrTooLarge = errors.New("too large")
)
