package frame

import (
	"errors"

	"penstock/internal/format"
)

// The reasons why bytes are not a frame, or a frame cannot become bytes. Errors of this package wrap one of them and
// say where.
var (
	// ErrNewerVersion: a newer version of Penstock wrote the frame. It is not damaged.
	ErrNewerVersion = format.ErrNewer
	// ErrChecksum: the bytes are not the ones that were written. Most damage, a cut tail too, shows as this.
	ErrChecksum = errors.New("checksum does not match")
	// ErrTruncated: the bytes end before the frame does.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt: the bytes are not a frame, or break a rule of the format.
	ErrCorrupt = errors.New("corrupt")
	// ErrTooLarge: the frame, or what it decompresses to, is larger than MaxSize.
	ErrTooLarge = errors.New("too large")
)
