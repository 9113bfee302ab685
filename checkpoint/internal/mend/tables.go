package mend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"google.golang.org/protobuf/proto"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/entry"
	"penstock/internal/nofollow"
)

// NewestTableName is the file with the number of the newest table. Badger takes an end
// that is missing in its list of tables for a write that a crash cut off, and goes on
// without these tables: with old values, or with none. So a Write notes the newest table,
// and Open looks whether the list has or had it before Badger changes anything. A table's
// number is above those of all before it.
const NewestTableName = "newest-table"

// NoteTable notes the newest table of the store in dir.
func NoteTable(dir string, newest uint64) error {
	path := filepath.Join(dir, NewestTableName)
	number := binary.BigEndian.AppendUint64(nil, newest)
	if err := disk.WriteSynced(path, entry.Seal([]byte(NewestTableName), entry.FormatWhole, number)); err != nil {
		return fmt.Errorf("record the newest table: %w", err)
	}
	return nil
}

// NotedTable is the newest table that was noted. A note that cannot be read is none.
func NotedTable(dir string) (uint64, error) {
	data, err := nofollow.ReadFile(filepath.Join(dir, NewestTableName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("checkpoint: open store %q: %w", dir, err)
	}
	if _, number, err := entry.Unseal([]byte(NewestTableName), data); err == nil && len(number) == 8 {
		return binary.BigEndian.Uint64(number), nil
	}
	return 0, nil
}

// checkNewest compares the list of tables with what was noted.
func checkNewest(dir string) error {
	noted, err := NotedTable(dir)
	if err != nil {
		return err
	}
	listed, err := newestListed(dir)
	if err != nil {
		return fmt.Errorf("checkpoint: open store %q: %w", dir, err)
	}
	if listed < noted {
		return Damaged(dir, fmt.Sprintf("table %d is missing: %s ends at table %d", noted, badger.ManifestFilename, listed))
	}
	return nil
}

// newestListed is the highest number that the list of tables has, or had.
func newestListed(dir string) (newest uint64, err error) {
	data, err := nofollow.ReadFile(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = eachChange(data, func(set []byte) error {
		var changes pb.ManifestChangeSet
		if err := proto.Unmarshal(set, &changes); err != nil {
			return err
		}
		for _, change := range changes.Changes {
			newest = max(newest, change.Id)
		}
		return nil
	})
	if errors.Is(err, errManifest) {
		err = nil // its end is cut off: what is before counts
	}
	return newest, err
}
