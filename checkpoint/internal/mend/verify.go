package mend

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"

	"penstock/checkpoint/internal/disk"
	"penstock/internal/counted"
	"penstock/internal/nofollow"
)

// Verify checks the table files before Badger sees them. Badger itself goes on without
// a table whose index is damaged, ends the process over a damaged footer, and takes a
// key with a flipped bit for a key that is not there.
func Verify(dir string, opts badger.Options) error {
	ids, err := tables(dir, opts)
	if err != nil {
		return err
	}
	for _, id := range ids {
		name := table.NewFilename(id, dir)
		err := disk.Guard(func() error { return VerifyTable(name) })
		if err != nil {
			return Damaged(dir, fmt.Errorf("table %s: %w", filepath.Base(name), err))
		}
	}
	return nil
}

// tables lists the tables that belong to the store. Others are leftovers of a crash.
func tables(dir string, opts badger.Options) ([]uint64, error) {
	f, err := nofollow.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		left, err := nofollow.Glob(dir, "*.sst")
		if err != nil || len(left) > 0 {
			// Badger would start an empty store and remove them.
			return nil, Damaged(dir, fmt.Sprintf("found %s, but no %s", counted.Things(len(left), "table"), badger.ManifestFilename))
		}
		return nil, checkNewest(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: open store %q: %w", dir, err)
	}
	defer f.Close()
	var ids []uint64
	err = disk.Guard(func() error {
		manifest, _, err := badger.ReplayManifestFile(f, opts.ExternalMagicVersion, opts)
		for id := range manifest.Tables {
			ids = append(ids, id)
		}
		return err
	})
	if err != nil {
		return nil, Unreadable(dir, err)
	}
	return ids, checkNewest(dir)
}

// VerifyTable reads one table: blocks, index, length of the index, checksum of the
// index, length of the checksum.
func VerifyTable(name string) error {
	f, err := nofollow.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	index, end, err := readIndex(f, info.Size())
	if err != nil {
		return err
	}
	return verifyBlocks(io.NewSectionReader(f, 0, end), fb.GetRootAsTableIndex(index, 0), end)
}

// readIndex reads a table's index, and tells where the blocks end.
func readIndex(r io.ReaderAt, size int64) (index []byte, end int64, err error) {
	sum, end, err := readBack(r, size)
	if err != nil {
		return nil, 0, fmt.Errorf("checksum of the index: %w", err)
	}
	index, end, err = readBack(r, end)
	if err != nil {
		return nil, 0, fmt.Errorf("index: %w", err)
	}
	if err := compare(index, sum); err != nil {
		return nil, 0, fmt.Errorf("index: %w", err)
	}
	return index, end, nil
}

// readBack reads the bytes before end that are followed by their length, and gives
// the offset they begin at.
func readBack(r io.ReaderAt, end int64) ([]byte, int64, error) {
	var n [4]byte
	if end < int64(len(n)) {
		return nil, 0, io.ErrUnexpectedEOF
	}
	end -= int64(len(n))
	if _, err := r.ReadAt(n[:], end); err != nil {
		return nil, 0, err
	}
	size := int64(binary.BigEndian.Uint32(n[:]))
	if size > end {
		return nil, 0, fmt.Errorf("%d bytes declared where %d are left", size, end)
	}
	b := make([]byte, size)
	_, err := r.ReadAt(b, end-size)
	return b, end - size, err
}

func verifyBlocks(r io.Reader, index *fb.TableIndex, size int64) error {
	in := bufio.NewReaderSize(r, 256<<10)
	var block fb.BlockOffset
	var buf []byte
	var at int64
	for i := range index.OffsetsLength() {
		if !index.Offsets(&block, i) {
			return fmt.Errorf("block %d is missing in the index", i)
		}
		n := int64(block.Len())
		if int64(block.Offset()) != at || n > size-at {
			return fmt.Errorf("block %d is not at %d", i, at)
		}
		if int64(cap(buf)) < n {
			buf = make([]byte, n)
		}
		buf = buf[:n]
		if _, err := io.ReadFull(in, buf); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
		if err := verifyBlock(buf); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
		at += n
	}
	if at != size {
		return fmt.Errorf("%d bytes belong to no block", size-at)
	}
	return nil
}

// verifyBlock checks content, checksum, length of the checksum.
func verifyBlock(b []byte) error {
	if len(b) < 4 {
		return io.ErrUnexpectedEOF
	}
	body, tail := b[:len(b)-4], b[len(b)-4:]
	n := binary.BigEndian.Uint32(tail)
	if uint64(n) > uint64(len(body)) {
		return fmt.Errorf("checksum of %d bytes declared where %d are left", n, len(body))
	}
	cut := len(body) - int(n)
	return compare(body[:cut], body[cut:])
}

func compare(data, encoded []byte) error {
	var sum pb.Checksum
	if err := proto.Unmarshal(encoded, &sum); err != nil {
		return fmt.Errorf("checksum: %w", err)
	}
	return y.VerifyChecksum(data, &sum)
}
