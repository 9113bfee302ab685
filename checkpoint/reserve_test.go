//go:build linux

package checkpoint

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
)

// smallDisk mounts a file system of its own, or skips the test.
func smallDisk(t *testing.T, bytes int64) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may mount the small disk that this test fills")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+strconv.FormatInt(bytes, 10), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("mounting is not possible here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v %s", err, out)
		}
	})
	return dir
}

// fill takes the whole disk.
func fill(t *testing.T, dir string) (release func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for step := int64(16 << 20); step >= 4096; {
		if syscall.Fallocate(int(f.Fd()), 0, at, step) != nil {
			step /= 2
			continue
		}
		at += step
	}
	if free, _, err := Space(dir); err != nil || free > 4096 {
		t.Fatalf("%d bytes are free, %v", free, err)
	}
	return func() {
		if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
			t.Error(err)
		}
	}
}

// On a full disk nothing is written and nothing dies: what Badger has begun has its
// space, and what would need more is refused.
func TestFullDisk(t *testing.T) {
	volume := smallDisk(t, 256<<20)
	dir := filepath.Join(volume, "store")
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	i := s.Instance("a.0")
	update := Update{Instance: i, Checkpoint: Checkpoint{Commit: 1, Record: []byte("one")}, Keys: map[string][]byte{"k": []byte("v")}}
	write(t, update)
	release := fill(t, volume)
	for name, err := range map[string]error{
		"Write": s.Write([]Update{update}), "PutNote": i.PutNote("n", []byte("x")), "PutNoteUnsynced": i.PutNoteUnsynced("n", []byte("x")),
	} {
		if !errors.Is(err, ErrNoSpace) {
			t.Errorf("%s on a full disk: %v", name, err)
		}
	}
	// What was under way when the disk became full goes into the log, to its end.
	for n := range 40 {
		key := append([]byte("under way "), byte(n))
		if err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(key, bytes.Repeat([]byte{1}, pieceSize)) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.sync(); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s) // into the reserve
	if full, err := Open(Config{Dir: dir}); err == nil {
		closeStore(t, full)
	} else if !errors.Is(err, ErrNoSpace) {
		t.Errorf("opened on a full disk: %v", err)
	}
	release()
	again := open(t, dir)
	saved, found, err := again.Instance("a.0").Load()
	if err != nil || !found || saved.Commit != 1 || string(saved.Record) != "one" {
		t.Errorf("loaded %+v, %v, %v", saved, found, err)
	}
	update.Instance = again.Instance("a.0")
	write(t, update)
}

// What is reserved on a small disk leaves enough for the run, which would else wait for space that it holds itself.
func TestASmallDiskIsNotFilledWithReservedSpace(t *testing.T) {
	for _, c := range []struct {
		size     int64
		reserves bool // the log in use
	}{{24 << 20, false}, {64 << 20, true}} {
		volume := smallDisk(t, c.size)
		s := open(t, filepath.Join(volume, "store"))
		free, _, err := Space(volume)
		if err != nil || free < c.size/4 {
			t.Errorf("of %d MiB %d KiB are free, %v", c.size>>20, free>>10, err)
		}
		if isReserved := c.size-free >= disk.LogSpace; isReserved != c.reserves {
			t.Errorf("of %d MiB %d KiB are free: space is reserved: %v", c.size>>20, free>>10, isReserved)
		}
		write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: 1, Record: []byte("one")}})
	}
}

// The next log is there before Badger asks for it, also when many are used up.
func TestLogsAreMadeAhead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for round := range 5 {
		next := s.reserve.Prepared()
		if next == "" {
			t.Fatalf("round %d: none is prepared", round)
		}
		if info, err := os.Stat(filepath.Join(dir, next)); err != nil || info.Size() != 0 || disk.Used(info) < disk.LogSpace {
			t.Errorf("round %d: %s has %v, %v", round, next, info, err)
		}
		write(t, Update{Instance: s.Instance("a.0"), Keys: map[string][]byte{"k": make([]byte, disk.MemtableSize+disk.MemtableSize/4)}})
	}
	if _, err := os.Stat(filepath.Join(dir, disk.ReserveName)); err != nil {
		t.Error(err)
	}
}
