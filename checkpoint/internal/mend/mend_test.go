package mend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"penstock/engine/remedy"
)

func options(dir string) badger.Options {
	return badger.DefaultOptions(dir).WithLogger(nil).WithMetricsEnabled(false).WithCompression(0).WithBlockCacheSize(0).WithIndexCacheSize(0)
}

// made is a store with one table of several blocks.
func made(t *testing.T) (dir, table string) {
	t.Helper()
	dir = t.TempDir()
	db, err := badger.Open(options(dir))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(txn *badger.Txn) error {
		for n := range 300 {
			if err := txn.Set(fmt.Appendf(nil, "key %d", n), make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the tables are %v, %v", found, err)
	}
	return dir, found[0]
}

// flip flips bits of a file.
func flip(t *testing.T, name string, bits ...int64) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, bit := range bits {
		data[bit/8] ^= 1 << (bit % 8)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A bit in the first block, one in the second and one in the index are found; two in one block are not.
func TestOneBitOfEachPartIsCorrected(t *testing.T) {
	t.Parallel()
	dir, table := made(t)
	const second = 6000 // blocks have 4 KiB and a little
	inIndex := size(t, table) - 200
	wrong := []int64{100*8 + 3, second * 8, inIndex*8 + 1}
	flip(t, table, wrong...)
	if err := Verify(dir, options(dir)); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("three flipped bits: %v", err)
	}
	list, all := Corrections(dir, options(dir))
	var bits []int64
	for _, c := range list {
		bits = append(bits, c.Bit)
	}
	if slices.Sort(bits); !all || !slices.Equal(bits, wrong) {
		t.Fatalf("%v are wrong; found %v, %v", wrong, list, all)
	}
	if want := fmt.Sprintf("bit 3 of byte 100 of %s is flipped", filepath.Base(table)); !slices.ContainsFunc(list, func(c Correction) bool { return c.String() == want }) {
		t.Errorf("%v do not say %q", list, want)
	}
	if err := Correct(dir, list); err != nil {
		t.Fatal(err)
	}
	if count, damages := Check(dir, options(dir)); count != 1 || len(damages) > 0 {
		t.Errorf("after the correction: %d tables, %v", count, damages)
	}
	flip(t, table, 100*8, 200*8)
	if list, all := Corrections(dir, options(dir)); all {
		t.Errorf("two bits of one block: %v", list)
	}
}

func TestTablesThatTheListDoesNotHaveAreRefused(t *testing.T) {
	t.Parallel()
	dir, table := made(t)
	if err := NoteTable(dir, 1); err != nil {
		t.Fatal(err)
	}
	if err := Verify(dir, options(dir)); err != nil {
		t.Fatalf("the newest table is there: %v", err)
	}
	if err := NoteTable(dir, 2); err != nil {
		t.Fatal(err)
	}
	if noted, err := NotedTable(dir); noted != 2 || err != nil {
		t.Errorf("table %d is noted, %v", noted, err)
	}
	err := Verify(dir, options(dir))
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "table 2 is missing") {
		t.Errorf("a table that the list lost: %v", err)
	}
	if said := remedy.Explain(err, func(r remedy.Remedy) string { return map[string]string{remedy.Fresh.Name: "--fresh"}[r.Name] }); !strings.Contains(said, "--fresh") {
		t.Errorf("it names no remedy: %s", said)
	}
	flip(t, filepath.Join(dir, NewestTableName), 20)
	if noted, err := NotedTable(dir); noted != 0 || err != nil {
		t.Errorf("of a damaged note: table %d, %v", noted, err)
	}
	if err := os.Remove(filepath.Join(dir, badger.ManifestFilename)); err != nil {
		t.Fatal(err)
	}
	if err := Verify(dir, options(dir)); !errors.Is(err, ErrCorrupt) { // Badger would remove the tables
		t.Errorf("tables without a list: %v", err)
	}
	if _, damages := Check(dir, options(dir)); len(damages) != 1 {
		t.Errorf("tables without a list: %v", damages)
	}
	if _, err := os.Stat(table); err != nil {
		t.Error(err)
	}
	if err := Verify(t.TempDir(), options(dir)); err != nil {
		t.Errorf("a directory with nothing in it: %v", err)
	}
}

func TestWhatIsSpareIsDropped(t *testing.T) {
	t.Parallel()
	dir, _ := made(t)
	kept := map[string]bool{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range list {
		switch name := file.Name(); {
		case filepath.Ext(name) == ".vlog", name == "DISCARD", name == badger.KeyRegistryFileName:
		default:
			kept[name] = true
		}
	}
	if err := errors.Join(DropSpare(dir), DropSpare(dir)); err != nil { // the second finds nothing
		t.Fatal(err)
	}
	if list, err = os.ReadDir(dir); err != nil || len(list) != len(kept) {
		t.Errorf("%v are left of %v, %v", list, kept, err)
	}
	db, err := badger.Open(options(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.View(func(txn *badger.Txn) error {
		_, err := txn.Get([]byte("key 299"))
		return err
	}), db.Close()); err != nil {
		t.Error(err)
	}
}
