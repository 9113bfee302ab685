//go:build unix

package userfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const other = 12345

// shared is a directory where all may write, and a file elsewhere that nobody must
// change. Only root can make things of another user.
func shared(t *testing.T) (dir, victim string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a link of another user")
	}
	dir = t.TempDir()
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	victim = filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
			t.Errorf("the victim is %q, %v", data, err)
		}
	})
	return dir, victim
}

func link(t *testing.T, target, path string, owner int) string {
	t.Helper()
	if err := errors.Join(os.Symlink(target, path), os.Lchown(path, owner, owner)); err != nil {
		t.Fatal(err)
	}
	return path
}

// writers are the ways to write a file.
var writers = map[string]func(path string) error{
	"replaced": func(path string) error {
		return Write(path, 0o644, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err })
	},
	"private": func(path string) error {
		return WritePrivate(path, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err })
	},
	"in place": func(path string) error {
		file, err := OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		return errors.Join(file.Truncate(1), file.Close())
	},
	"new": func(path string) error {
		file, err := OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		return file.Close()
	},
}

func TestWhatAnotherUserPutThereIsRefused(t *testing.T) {
	t.Parallel()
	dir, victim := shared(t)
	link(t, victim, filepath.Join(dir, "link"), other)
	link(t, filepath.Dir(victim), filepath.Join(dir, "dir"), other)
	link(t, filepath.Join(dir, "dir"), filepath.Join(dir, "own"), 0)
	file := filepath.Join(dir, "file")
	if err := errors.Join(os.WriteFile(file, nil, 0o666), os.Chown(file, other, other)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"link", "dir/victim", "dir/new", "own/victim", "file", "dir/../" + filepath.Base(filepath.Dir(victim)) + "/victim"} {
		for name, write := range writers {
			if err := write(dir + "/" + path); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s, %s: %v", path, name, err)
			}
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(victim)); err != nil || len(entries) != 1 {
		t.Errorf("beside the victim: %v, %v", entries, err)
	}
}

func TestOwnLinksAreFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"absolute": target, "relative": "target", "twice": "relative", "file": "target/of-link"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"absolute/a", "relative/b", "twice/c", "twice/../target/d", "file"} {
		for _, name := range []string{"replaced", "in place", "private"} { // the first makes it
			if err := writers[name](dir + "/" + path); err != nil {
				t.Errorf("%s, %s: %v", path, name, err)
			}
		}
	}
	if entries, err := os.ReadDir(target); err != nil || len(entries) != 5 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestLinksInACircleAreNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop")
	if err := errors.Join(os.Symlink("loop", loop), os.Symlink("nowhere/x", filepath.Join(dir, "dangling"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Resolve(loop); err == nil || !strings.Contains(err.Error(), loop+" is a symbolic link that leads in a circle") {
		t.Error(err)
	}
	for path, want := range map[string]string{"dangling": "dangling", "dangling/deeper": "dangling", "new": "", "new/deeper": ""} {
		place, err := Resolve(filepath.Join(dir, path))
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if err != nil || place.Info != nil || place.Dangling != want {
			t.Errorf("%s: %+v, %v", path, place, err)
		}
	}
}

// Without the mend the first open would not return.
func TestAPipeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, write := range writers {
		if err := write(pipe); !errors.Is(err, ErrKind) || !strings.Contains(err.Error(), pipe+" is a pipe") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadFile(pipe); !errors.Is(err, ErrKind) {
		t.Error(err)
	}
}

func TestStreamsOfTheProcessAreWrittenTo(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, path := range []string{os.DevNull, "/dev/fd/" + strconv.FormatUint(uint64(w.Fd()), 10)} {
		if err := writers["replaced"](path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := writers["in place"](path); !errors.Is(err, ErrKind) {
			t.Errorf("%s in place: %v", path, err)
		}
	}
	got := make([]byte, 1)
	if _, err := r.Read(got); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if info, err := os.Lstat("/dev/stdout"); err != nil || info.Mode().IsRegular() {
		t.Errorf("/dev/stdout is %v, %v", info, err)
	}
}
