package disk

import (
	"errors"
	"fmt"
)

// ErrFileSize says that the process may not make files as large as it needs them. Nothing was changed.
var ErrFileSize = errors.New("only small files allowed")

// largestFile is how large a file of a store is at most: Badger makes the log of a memtable twice as large as that.
const largestFile = 2 * MemtableSize

// checkFileSize refuses when the process may not make files as large as those of a store. The embedded server, whose
// files are smaller, would otherwise find out in the middle of a write.
func checkFileSize() error {
	limit, isKnown := fileSizeLimit()
	if !isKnown || limit >= largestFile {
		return nil
	}
	return fmt.Errorf("checkpoint: %w: this process may make files of %d KiB and needs %d KiB: raise its limit (ulimit -f %d or unlimited in a shell, LimitFSIZE=infinity in a systemd unit)",
		ErrFileSize, limit>>10, largestFile>>10, largestFile>>10)
}
