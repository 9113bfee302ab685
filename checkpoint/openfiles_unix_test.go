//go:build unix

package checkpoint

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"penstock/internal/testing/rlimit"
)

// fewFiles may open 20 files at a time.
var fewFiles = rlimit.Child{Name: "PENSTOCK_CHECKPOINT_FEW_FILES", Resource: syscall.RLIMIT_NOFILE, Most: 20, Do: openWithFewFiles}

func init() { fewFiles.Init() }

func openWithFewFiles(dir string) {
	s, err := Open(Config{Dir: dir})
	if err == nil {
		err = s.Close()
	}
	fmt.Println(errors.Is(err, ErrOpenFiles), err)
}

// Without the look at the limit Badger does not come to an end here.
func TestTooFewOpenFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	out := fewFiles.Output(t, dir)
	if !strings.HasPrefix(out, "true ") || !strings.Contains(out, "may open 20 files at a time and needs 24: raise its limit (ulimit -n 24") {
		t.Error(out)
	}
}
