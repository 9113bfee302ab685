package disk

import (
	"errors"
	"fmt"

	"penstock/internal/nofollow"
	"penstock/internal/openfiles"
)

// ErrOpenFiles says that the process may not open as many files at a time as it
// needs. Nothing was changed.
var ErrOpenFiles = errors.New("too few open files allowed")

// storeFiles is what a store opens besides its tables, each of which is a file:
// Badger's own, and those that are rewritten.
const storeFiles = 24

// CheckOpenFiles refuses when the process may not open the files of the store in
// dir and as many besides: Badger tries on without an end when it cannot open one.
// needed is how many these are. It refuses likewise when they may not be as large
// as they have to be. Where there are no such limits the error is nil. Open asks it
// with none besides.
func CheckOpenFiles(dir string, besides int) (needed int, err error) {
	if err := checkFileSize(); err != nil {
		return 0, err
	}
	tables, err := nofollow.Glob(dir, "*.sst")
	if err != nil {
		return 0, fmt.Errorf("checkpoint: list the tables of %q: %w", dir, err)
	}
	needed = storeFiles + len(tables) + besides
	limit, isKnown := openfiles.Limit()
	if !isKnown || limit >= uint64(needed) {
		return needed, nil
	}
	return needed, fmt.Errorf("checkpoint: %w: this process may open %d files at a time and needs %d: raise its limit (ulimit -n %d in a shell, LimitNOFILE=%d in a systemd unit)",
		ErrOpenFiles, limit, needed, needed, needed)
}
