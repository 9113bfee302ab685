package checkpoint

import (
	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/journal"
	"penstock/checkpoint/internal/mend"
)

// Changes maps keys to their new states, nil for a key that is deleted. It is made for many small
// ones: it holds no pointers that the garbage collector would follow, and copies what it is given.
// Set changes a state, Get, All and From read, Len and Size measure, Reset empties. The zero value is
// empty and ready. Not safe for concurrent use, but any number of goroutines may read it while
// no goroutine sets.
type Changes = journal.Changes

// Change is the new state of one key; nil deletes it.
type Change = journal.Change

// Correction is a bit of a file that has to be flipped back.
type Correction = mend.Correction

var (
	// ErrCorrupt says that something on disk is not what was written. It does not go
	// away by trying again.
	ErrCorrupt = mend.ErrCorrupt

	// ErrNoSpace says that the disk is too full to write without danger. Nothing was
	// written; it goes away when there is space.
	ErrNoSpace = disk.ErrNoSpace

	// ErrOpenFiles says that the process may not open as many files at a time as it
	// needs. Nothing was changed.
	ErrOpenFiles = disk.ErrOpenFiles

	// ErrFileSize says that the process may not make files as large as it needs them.
	// Nothing was changed.
	ErrFileSize = disk.ErrFileSize
)

// CheckOpenFiles refuses when the process may not open the files of the store in
// dir and as many besides: Badger tries on without an end when it cannot open one.
// needed is how many these are. It refuses likewise, with ErrFileSize, when they may
// not be as large as they have to be. Where there are no such limits the error is nil.
// Open asks it with none besides.
func CheckOpenFiles(dir string, besides int) (needed int, err error) {
	return disk.CheckOpenFiles(dir, besides)
}

// Space tells how many bytes of the file system that holds dir are free for this process, and how
// large it is. Where that cannot be told the error is errors.ErrUnsupported.
func Space(dir string) (free, size int64, err error) { return disk.Space(dir) }

// KeptFree is how many bytes of a file system of that size have to be free for
// anything to be written.
func KeptFree(size int64) int64 { return disk.KeptFree(size) }
