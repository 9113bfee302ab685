//go:build unix

package checkpoint

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"penstock/internal/testing/rlimit"
)

// smallFiles may make files of 100 KiB.
var smallFiles = rlimit.Child{Name: "PENSTOCK_CHECKPOINT_SMALL_FILES", Resource: syscall.RLIMIT_FSIZE, Most: 100 << 10, Do: openWithSmallFiles}

func init() { smallFiles.Init() }

// openWithSmallFiles says what Open answers, and what is made of the answer of Badger itself.
func openWithSmallFiles(dir string) {
	_, err := Open(Config{Dir: dir})
	fmt.Println(errors.Is(err, ErrFileSize), err)
	db, err := badger.Open(badgerOptions(dir, discarded))
	if err == nil {
		err = db.Close()
	}
	fmt.Println(openError(dir, err))
}

// A limit of the size of files is refused, is not called damage, and takes nothing.
func TestALimitOfTheSizeOfFilesIsNoDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutNote("kept", []byte("yes")); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)

	text := smallFiles.Output(t, dir)
	if !strings.HasPrefix(text, "true checkpoint: only small files allowed: this process may make files of 100 KiB and needs 32768 KiB: raise its limit") {
		t.Error(text)
	}
	if !strings.Contains(text, "file too large") || strings.Count(text, "ulimit -f") != 2 || strings.Contains(text, "damaged") || strings.Contains(text, "Fresh") {
		t.Errorf("it is not called by its name: %s", text)
	}

	if s, err = Open(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	if note, found, err := s.Note("kept"); err != nil || !found || string(note) != "yes" {
		t.Errorf("the note is %q, %v, %v", note, found, err)
	}
}
