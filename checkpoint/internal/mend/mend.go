package mend

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/table"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
	"penstock/internal/bitflip"
	"penstock/internal/nofollow"
)

// mostCorrected bounds the time it takes to find a flipped bit: each is tried.
const mostCorrected = 64 << 10

// Correction is a bit of a file that has to be flipped back.
type Correction struct {
	File string // its name in the directory
	Bit  int64  // 8 times the offset of its byte, and its number in it
}

// String names the bit, the byte and the file.
func (c Correction) String() string {
	return fmt.Sprintf("bit %d of byte %d of %s is flipped", c.Bit%8, c.Bit/8, c.File)
}

// Corrections finds, for the store in dir, which no process may have open, the bits that
// make every table fit its checksums again when they are flipped back: one in the index
// and one in each block at most. It is false when that is not all that is wrong. A
// checksum of 32 bits tells one flipped bit from every other; the values have checksums
// of their own to confirm it (checkpoint.Store.CheckValues).
func Corrections(dir string, opts badger.Options) ([]Correction, bool) {
	ids, err := tables(dir, opts)
	if err != nil { // the manifest comes first: it says which tables there are
		return CorrectManifest(dir)
	}
	var all []Correction
	for _, id := range ids {
		name := table.NewFilename(id, dir)
		bits, ok := []int64(nil), false
		err := disk.Guard(func() (err error) {
			bits, ok, err = correctTable(name)
			return err
		})
		if err != nil || !ok {
			return nil, false
		}
		for _, bit := range bits {
			all = append(all, Correction{filepath.Base(name), bit})
		}
	}
	return all, true
}

// CorrectManifest looks for the flipped bit in the list of the tables: a head that is
// always the same, and records of length, checksum and content.
func CorrectManifest(dir string) ([]Correction, bool) {
	data, err := nofollow.ReadFile(filepath.Join(dir, badger.ManifestFilename))
	if err != nil || len(data) > mostCorrected || IsManifest(data) {
		return nil, false
	}
	bit, found := bitflip.Find(data, func() bool { return IsManifest(data) })
	return []Correction{{badger.ManifestFilename, bit}}, found
}

// ManifestHead is how a list of tables begins.
const ManifestHead = "Bdgr\x00\x00\x00\x08" // magic, our part of it, version

var errManifest = errors.New("no list of tables")

// IsManifest says whether data is a list of tables that nothing is wrong with.
func IsManifest(data []byte) bool {
	return eachChange(data, func([]byte) error { return nil }) == nil
}

// eachChange calls fn with each record of a list of tables. The error is errManifest where there is something else.
func eachChange(data []byte, fn func(record []byte) error) error {
	rest, found := bytes.CutPrefix(data, []byte(ManifestHead))
	if !found {
		return errManifest
	}
	for len(rest) > 0 {
		if len(rest) < 8 {
			return errManifest
		}
		n, sum := uint64(binary.BigEndian.Uint32(rest)), binary.BigEndian.Uint32(rest[4:])
		if rest = rest[8:]; n > uint64(len(rest)) || crc32.Checksum(rest[:n], entry.Castagnoli) != sum {
			return errManifest
		}
		if err := fn(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// DropSpare removes the files of the store in dir that Badger wants to have and that
// hold nothing here: it makes new ones.
func DropSpare(dir string) error {
	names, err := nofollow.Glob(dir, "*.vlog")
	if err != nil {
		return err
	}
	for _, name := range append(names, filepath.Join(dir, badger.KeyRegistryFileName), filepath.Join(dir, "DISCARD")) {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Correct flips bits back.
func Correct(dir string, corrections []Correction) error {
	for _, c := range corrections {
		path := filepath.Join(dir, c.File)
		data, err := nofollow.ReadFile(path)
		if err != nil {
			return err
		}
		data[c.Bit/8] ^= 1 << (c.Bit % 8)
		if err := disk.WriteSynced(path, data); err != nil {
			return err
		}
	}
	return nil
}

func correctTable(name string) (bits []int64, ok bool, err error) {
	data, err := nofollow.ReadFile(name)
	if err != nil {
		return nil, false, err
	}
	index, end, err := readIndex(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		bit, found := correctIndex(data)
		if !found {
			return nil, false, nil
		}
		bits = append(bits, bit)
		data[bit/8] ^= 1 << (bit % 8)
		if index, end, err = readIndex(bytes.NewReader(data), int64(len(data))); err != nil {
			return nil, false, err
		}
	}
	blocks, ok := correctBlocks(data[:end], fb.GetRootAsTableIndex(index, 0))
	return append(bits, blocks...), ok, nil
}

// correctIndex looks in what is behind the blocks: the lengths first, which say
// where the index is.
func correctIndex(data []byte) (bit int64, found bool) {
	ok := func() bool {
		_, _, err := readIndex(bytes.NewReader(data), int64(len(data)))
		return err == nil
	}
	tail := max(0, len(data)-64)
	if bit, found = bitflip.Find(data[tail:], ok); found {
		return int64(tail)*8 + bit, true
	}
	_, end, err := readBack(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return 0, false
	}
	index, from, err := readBack(bytes.NewReader(data), end)
	if err != nil || len(index) > mostCorrected {
		return 0, false
	}
	bit, found = bitflip.Find(data[from:tail], ok)
	return from*8 + bit, found
}

func correctBlocks(data []byte, index *fb.TableIndex) (bits []int64, ok bool) {
	var block fb.BlockOffset
	for i := range index.OffsetsLength() {
		if !index.Offsets(&block, i) || int64(block.Offset())+int64(block.Len()) > int64(len(data)) {
			return nil, false
		}
		b := data[block.Offset() : block.Offset()+block.Len()]
		if verifyBlock(b) == nil {
			continue
		}
		if len(b) > mostCorrected {
			return nil, false
		}
		bit, found := bitflip.Find(b, func() bool { return verifyBlock(b) == nil })
		if !found {
			return nil, false
		}
		bits = append(bits, int64(block.Offset())*8+bit)
	}
	return bits, true
}
