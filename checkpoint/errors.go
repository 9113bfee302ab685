package checkpoint

import (
	"errors"
	"fmt"

	"penstock/engine/remedy"
	"penstock/internal/format"
)

var (
	// ErrInUse says that another store, here or in another process, holds the directory.
	ErrInUse = errors.New("directory is in use")

	// ErrClosed says that the store was closed before the call.
	ErrClosed = errors.New("store is closed")

	// ErrTooLarge says that a key, value or note is over its limit. Nothing was written.
	ErrTooLarge = errors.New("too large")
)

const (
	kindNameCheckpoint = "checkpoint"
	kindNameKey        = "key"
	kindNameNote       = "note"
)

// CorruptError names the value that is damaged. It wraps ErrCorrupt.
type CorruptError struct {
	// Instance is the instance that owns the value; empty for a note of the store.
	Instance string
	// Kind is "checkpoint", "key" or "note".
	Kind string
	// Key is the key of the state, or the name of the note; empty for a checkpoint.
	Key string
	// Reason says what is wrong with it.
	Reason string
}

// Error names the value, the reason and the remedy.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("checkpoint: %v: %s: %s: start over with %v, or restore a copy of the data directory", ErrCorrupt, e.subject(), e.Reason, remedy.Fresh)
}

func (e *CorruptError) subject() string {
	what := e.Kind
	if e.Kind != kindNameCheckpoint {
		what = fmt.Sprintf("%s %.100q", e.Kind, e.Key)
	}
	if e.Instance == "" {
		return what + " of the pipeline"
	}
	return what + " of instance " + e.Instance
}

// valueError says why a value cannot be read. One of a newer version is not damaged.
func valueError(of CorruptError, cause error) error {
	if errors.Is(cause, format.ErrNewer) {
		return fmt.Errorf("checkpoint: %s: %w", of.subject(), cause)
	}
	of.Reason = cause.Error()
	return &of
}

// Unwrap gives ErrCorrupt.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }

// Remedies is to start over.
func (e *CorruptError) Remedies() []remedy.Remedy { return []remedy.Remedy{remedy.Fresh} }
