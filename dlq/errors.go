package dlq

import (
	"errors"

	"penstock/internal/format"
)

// Errors of this package wrap one of these where the caller can do something about it, and say where and what.
var (
	// ErrFull: the stream holds as much as it may. Nothing was written or dropped. Replay or discard letters, or raise
	// MaxBytes or MaxMessages.
	ErrFull = errors.New("the dead letters are full")
	// ErrTooLarge: the letter, with its texts cut short, is larger than the server's maximum payload. It cannot happen
	// to a value and key that leave [Overhead] bytes of it.
	ErrTooLarge = errors.New("the dead letter is larger than the server accepts")
	// ErrConflict: there is a letter of the same origin with another value or key, so it is of an earlier run whose
	// offsets began at 0 as well.
	ErrConflict = errors.New("another message is already stored as this dead letter")
	// ErrForeign: the stream belongs to another pipeline or data directory.
	ErrForeign = errors.New("the dead letters belong to another data directory")
	// ErrSettled: an import has a letter that was stored here and is no more, so it was replayed, discarded or too old. To
	// replay it once more would make its effect twice. ImportOptions.Force takes it all the same.
	ErrSettled = errors.New("the dead letter was replayed or discarded, or was too old")
	// ErrOtherRun: an import has a letter that nothing tells to be of this run. In another run its offset is that of
	// another message. ImportOptions.Force takes it all the same.
	ErrOtherRun = errors.New("the dead letter is not known to be of this run")
	// ErrGone: the stream was deleted while it was in use.
	ErrGone = errors.New("the stream of the dead letters is gone")
	// ErrStale: the letter was replaced by one of a later round, replayed or discarded since it was read. Read it again.
	ErrStale = errors.New("the dead letter has changed or is gone")
	// ErrPending: a replay of this letter waits already, so there is nothing left to do. Given twice is given once.
	ErrPending = errors.New("a replay of this dead letter is pending")
	// ErrRounds: the letter failed in as many rounds as it may. Mend the cause and raise ReplayOptions.MaxRounds, or
	// discard it.
	ErrRounds = errors.New("the dead letter has failed in too many rounds")
	// ErrNewerVersion: a newer version of Penstock wrote the letter. It is not damaged: use that version.
	ErrNewerVersion = format.ErrNewer
	// ErrDamaged: a stored message is not a dead letter.
	ErrDamaged = errors.New("not a readable dead letter")
	// ErrInvalid: a name, number or ID that cannot be right.
	ErrInvalid = errors.New("invalid")
)
