//go:build linux

package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of its own for a test, or skips it.
func smallDisk(t *testing.T, kind string, bytes int64) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may mount the small disk that this test fills")
	}
	dir := t.TempDir()
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "size="+strconv.FormatInt(bytes, 10), "tmpfs", dir)
	if kind != "tmpfs" {
		image := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(image, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(image, bytes); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("mkfs."+kind, "-q", "-m", "0", image).CombinedOutput(); err != nil {
			t.Skipf("no %s to be had: %v %s", kind, err, out)
		}
		mount = exec.Command("mount", "-o", "loop", image, dir)
	}
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("mounting is not possible here: %v %s", err, out)
	}
	t.Cleanup(func() {
		// What is still mapped is unmapped by the garbage collector.
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v %s", err, out)
		}
	})
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	return data
}

// fillDisk takes all but keep bytes of the disk, at once; release gives them
// back.
func fillDisk(t *testing.T, data string, keep int64) (release func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(filepath.Dir(data), "fill"), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var at int64
	for step := int64(16 << 20); step >= 4096; {
		var s syscall.Statfs_t
		if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
			t.Fatal(err)
		}
		if int64(s.Bavail)*int64(s.Bsize)-step < keep || syscall.Fallocate(int(f.Fd()), 0, at, step) != nil {
			step /= 2
			continue
		}
		at += step
	}
	return func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := os.Remove(f.Name()); err != nil {
			t.Error(err)
		}
	}
}
