package mend

import (
	"errors"
	"fmt"

	"penstock/checkpoint/internal/disk"
	"penstock/engine/remedy"
)

// ErrCorrupt says that something on disk is not what was written. It does not go
// away by trying again.
var ErrCorrupt = errors.New("damaged data")

// Unreadable reports why Badger cannot use the store: the operating system refuses something, or it is damaged.
func Unreadable(dir string, err error) error {
	if cure, isRefusal := disk.RefusalOfBadger(dir, err); isRefusal {
		return refused(dir, err, cure)
	}
	return Damaged(dir, err)
}

// faulted is err with the reason why a page of a mapped file could not be read, which the mapping does not tell. It is
// err itself if every file can be read, or if something else is wrong.
func faulted(dir string, err error, read func(dir string) error) error {
	if !disk.IsFault(err) {
		return err
	}
	if reason := read(dir); reason != nil {
		return fmt.Errorf("%w: %w", err, reason)
	}
	return err
}

// refused leaves the data alone: nothing is wrong with it.
func refused(dir string, err error, cure string) error {
	return fmt.Errorf("checkpoint: store %q: %w: %s", dir, err, cure)
}

// Damaged reports damage that belongs to the directory, not to one value. It is none when the operating system
// refuses to read.
func Damaged(dir string, reason any) error {
	return damaged(dir, reason, disk.ReadAll)
}

func damaged(dir string, reason any, read func(dir string) error) error {
	if err, ok := reason.(error); ok {
		err = faulted(dir, err, read)
		reason = err
		if cure, isRefusal := disk.Refusal(err); isRefusal {
			return refused(dir, err, cure)
		}
	}
	return remedy.Errorf("checkpoint: store %q: %w: %v: start over with %v, or restore a copy of the data directory", dir, ErrCorrupt, reason, remedy.Fresh)
}
