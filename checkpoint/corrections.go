package checkpoint

import "penstock/checkpoint/internal/mend"

// Corrections finds, for the store in dir, which no process may have open, the bits that
// make every table fit its checksums again when they are flipped back: one in the index
// and one in each block at most. It is false when that is not all that is wrong. A
// checksum of 32 bits tells one flipped bit from every other; the values have checksums
// of their own to confirm it ([Store.CheckValues]).
func Corrections(dir string) ([]Correction, bool) {
	return mend.Corrections(dir, badgerOptions(dir, discarded))
}

// Correct flips bits back.
func Correct(dir string, corrections []Correction) error { return mend.Correct(dir, corrections) }

// DropSpare removes the files of the store in dir that Badger wants to have and that
// hold nothing here: it makes new ones.
func DropSpare(dir string) error { return mend.DropSpare(dir) }
