package mend

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// What the operating system refuses is no damage, however it is wrapped; and only that is none.
func TestARefusalIsNoDamage(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{
		syscall.EFBIG, syscall.EDQUOT, syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.EACCES,
		syscall.EPERM, syscall.ENOMEM, syscall.ESTALE,
	} {
		path := &os.PathError{Op: "truncate", Path: "00001.mem", Err: errno}
		for way, err := range map[string]error{
			"kept":      Damaged("dir", fmt.Errorf("table 1: %w", path)),
			"of Badger": Unreadable("dir", fmt.Errorf("open memtable: %w", path)),
			"flattened": Unreadable("dir", fmt.Errorf("open memtable: %v\nerror while truncation", path)),
		} {
			text := err.Error()
			if errors.Is(err, ErrCorrupt) || strings.Contains(text, "Fresh") || strings.Contains(text, "damaged") {
				t.Errorf("%v, %s: %v", errno, way, err)
			}
			if !strings.Contains(text, errno.Error()) || strings.HasSuffix(text, errno.Error()) {
				t.Errorf("%v, %s: no cause or no remedy: %v", errno, way, err)
			}
		}
	}
	named := "/data: no space left on device" // a directory may have any name
	for _, err := range []error{Unreadable(named, errors.New("open "+named+"/1.sst: bad magic")), Damaged("dir", "table 1 is missing"), Damaged("dir", syscall.ENOENT), Unreadable("dir", errors.New("bad magic"))} {
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "Fresh") {
			t.Errorf("no damage: %v", err)
		}
	}
}
