//go:build unix

package checkpoint

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// Somebody who was forked while the store was open has Badger's lock until it runs another program.
func TestOpenWaitsForBadgersLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	release := time.AfterFunc(50*time.Millisecond, func() { _ = d.Close() })
	defer release.Stop()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
}
