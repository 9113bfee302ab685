package format

import (
	"errors"
	"fmt"
	"hash/crc32"
)

// The numbers that this build writes. docs/operations.md says where each stands.
const (
	Directory = 3 // a data directory: its parts, their notes, and the files of libraries; 1 had no file that says so, 3 has stages whose number of partitions was changed
	Frame     = 4 // a frame of a channel, and the record of a checkpoint: 1 plain, 2 signed with a key, 3 with counts of messages given up, 4 with features
	Value     = 2 // a value of the checkpoints: 1 whole, 2 in pieces
	Owner     = 1 // what a stream tells of its run; before there was a number it told nothing
	Layout    = 1 // the note which instances run the stages whose number of partitions was changed
	InFlight  = 1 // the in-flight file
	Letter    = 2 // a dead letter, and a request for its replay: 1 plain, 2 with the value before a replay replaced it
	Export    = 1 // a line of exported dead letters
	Arguments = 2 // the arguments of the last run; 1 was their list alone, without a sum
	Recording = 1 // a recording of the telemetry
)

// PlainDirectory is the format of a data directory in which no number of partitions was changed.
const PlainDirectory = 2

// The formats of letters: the lowest that does is written.
const (
	PlainLetter        = 1
	LetterWithOriginal = 2
)

// ErrNewer says that something was written by a newer version of Penstock. It is
// not damaged: that version reads it.
var ErrNewer = errors.New("written by a newer version of Penstock")

// Newer is the error for a thing whose number is above what this build reads.
func Newer(what string, found, reads uint64) error {
	return fmt.Errorf("%s is %w (format %d, this build reads up to %d): use that version", what, ErrNewer, found, reads)
}

// Sum is the checksum of a file that people may read: its last field, of all that is before it. So a damaged number is
// not taken for a newer one.
func Sum(data []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
}
