package mend

import (
	"errors"

	"penstock/engine/remedy"
)

// ErrCorrupt says that something on disk is not what was written. It does not go
// away by trying again.
var ErrCorrupt = errors.New("damaged data")

// Damaged reports damage that belongs to the directory, not to one value.
func Damaged(dir string, reason any) error {
	return remedy.Errorf("checkpoint: store %q: %w: %v: start over with %v, or restore a copy of the data directory", dir, ErrCorrupt, reason, remedy.Fresh)
}
