//go:build unix

package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/dgraph-io/badger/v4"
)

const smallFilesEnv = "PENSTOCK_CHECKPOINT_SMALL_FILES"

func init() {
	if dir := os.Getenv(smallFilesEnv); dir != "" {
		openWithSmallFiles(dir)
		os.Exit(0)
	}
}

// openWithSmallFiles is the child of the test: it may make files of 100 KiB. It says what Open answers, and what is made
// of the answer of Badger itself.
func openWithSmallFiles(dir string) {
	small := syscall.Rlimit{Cur: 100 << 10, Max: 100 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		fmt.Println(err)
		return
	}
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

	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), smallFilesEnv+"="+dir)
	out, err := command.CombinedOutput()
	text := string(out)
	if err != nil || !strings.HasPrefix(text, "true checkpoint: only small files allowed: this process may make files of 100 KiB and needs 32768 KiB: raise its limit") {
		t.Errorf("%v: %s", err, text)
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
