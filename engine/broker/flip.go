package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"penstock/engine/internal/blocks"
)

// mostRead bounds what is read of a stream before the server starts.
const mostRead = 64 << 20

// flipBack flips bits of stored messages back that flipped since they were written, which their checksums tell. The
// server would cut the block off at the first record that does not fit its checksum. A stream with other damage loses
// its index, which the server makes again. Larger streams are left to the repair.
func flipBack(dir string, logger *slog.Logger) error {
	stream, err := blocks.Open(dir)
	if err != nil || stream.Problem != nil {
		return nil // more was said of that
	}
	if size, err := blocks.TreeSize(filepath.Join(dir, "msgs")); err != nil || size > mostRead {
		return nil
	}
	damages, err := stream.Scan(func(blocks.Record) error { return nil })
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read its blocks: %w", err)
	}
	var flipped []blocks.Damage
	for _, d := range damages {
		if d.Bit >= 0 {
			flipped = append(flipped, d)
			logger.Warn("corrected a flipped bit in a stored message", "stream", stream.Name, "damage", d)
		}
	}
	if len(damages) == 0 {
		return nil
	}
	// Without flipped bits this drops the index alone. With it nats-server 2.15.2 lists each sequence up to the last one
	// that a damaged block had, from 0 on. That of the pending replays begins with 10^15 (its FirstSeq is a time), and the
	// server never ends its start.
	return stream.Mend(flipped)
}
