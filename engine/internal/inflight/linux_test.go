//go:build linux

package inflight

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func init() {
	ways["out of memory"] = func() {
		// Less than is in use: the runtime throws as it does when the system refuses memory.
		_ = syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20})
		for {
			hoard = append(hoard, make([]byte, 64<<20))
		}
	}
}

var hoard [][]byte

// blocks is how much of the disk a file has.
func blocks(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}

// A hole would be a SIGBUS on a full disk.
func TestTheFileHasNoHoles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, control := filepath.Join(dir, "inflight"), filepath.Join(dir, "control")
	names := make([]string, 5000)
	for i := range names {
		names[i] = string(rune(0x4e00 + i))
	}
	open(t, path, names...)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := os.Create(control)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Write(make([]byte, info.Size()))
	if err := errors.Join(err, c.Sync(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if blocks(t, control) < info.Size() {
		t.Skip("this file system does not keep zeros")
	}
	if got := blocks(t, path); got < info.Size() {
		t.Errorf("%d bytes on disk of %d", got, info.Size())
	}
}

// asNobody runs f as a user that owns nothing: permissions do not bind root.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the thread ends with the goroutine
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0); errno != 0 {
			t.Error(errno)
			return
		}
		f()
	}()
	<-done
}

func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	path, _ := leftOpen(t)
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	for dir, mode := range map[string]os.FileMode{filepath.Dir(path): 0o555, filepath.Dir(filepath.Dir(path)): 0o755} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		_, _, err := Open(path, []string{"a"})
		if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "must be writable") {
			t.Error(err)
		}
	})
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if calls := read(t, path).Calls; len(calls) != 1 {
		t.Errorf("the calls are lost: %v", calls)
	}
}

// The disk fills up: a limit on the size of files stands for it.
func TestNoSpaceLeavesTheFileAlone(t *testing.T) {
	if os.Getenv(victimEnv) != "" {
		return
	}
	path, _ := leftOpen(t)
	out, err := victim(t, "no space", path).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "create the in-flight file") {
		t.Errorf("%v: %s", err, out)
	}
	if calls := read(t, path).Calls; len(calls) != 1 {
		t.Errorf("the calls are lost: %v", calls)
	}
}
