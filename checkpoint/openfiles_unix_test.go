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
)

const fewFilesEnv = "PENSTOCK_CHECKPOINT_FEW_FILES"

func init() {
	if dir := os.Getenv(fewFilesEnv); dir != "" {
		os.Exit(openWithFewFiles(dir))
	}
}

// openWithFewFiles is the child of the test: it may open this many files.
func openWithFewFiles(dir string) int {
	few := syscall.Rlimit{Cur: 20, Max: 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		fmt.Println(err)
		return 1
	}
	s, err := Open(Config{Dir: dir})
	if err == nil {
		err = s.Close()
	}
	fmt.Println(err)
	if errors.Is(err, ErrOpenFiles) {
		return 0
	}
	return 1
}

// Without the look at the limit Badger does not come to an end here.
func TestTooFewOpenFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), fewFilesEnv+"="+dir)
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "may open 20 files at a time and needs 24: raise its limit (ulimit -n 24") {
		t.Errorf("%v: %s", err, out)
	}
}
