//go:build unix

package doctor_test

import (
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/engine/doctor"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
)

// strange is what may be put in the place of a file.
var strange = map[string]func(path string) error{
	"pipe":          func(path string) error { return syscall.Mkfifo(path, 0o600) },
	"directory":     func(path string) error { return os.Mkdir(path, 0o700) },
	"symbolic link": func(path string) error { return os.Symlink(os.DevNull, path) },
	"socket":        listenAt,
	"device":        func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|3) }, // needs rights
}

// listenAt makes a socket that nobody serves, whatever the length of its path.
func listenAt(path string) error {
	nest, err := os.MkdirTemp(os.Getenv("GOTMPDIR"), "s") // as t.TempDir does: a rename stays on its disk
	if err != nil {
		return err
	}
	defer os.RemoveAll(nest)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(nest, "s"), Net: "unix"})
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		return err
	}
	return os.Rename(filepath.Join(nest, "s"), path)
}

// Each file that a real directory has, and each that one may have, is replaced in turn: nothing waits for a pipe or
// takes a directory for a file, and the error names it.
func TestOnlyFilesAreOpenedInADataDirectory(t *testing.T) {
	t.Parallel()
	images := patient.Images(t)
	if testing.Short() {
		images = images[:1] // they differ by what is in the files
	}
	for _, from := range images {
		names := []string{"pid", "starting-over", "arguments.json", "in-flight.new", "penstock.json.new", "starting-over.new",
			"checkpoints/LOCK", "checkpoints/newest-table", "checkpoints/reserve", "checkpoints/00099.mem", "checkpoints/MANIFEST-REWRITE"}
		for name := range files(t, from.Dir) {
			names = append(names, name)
		}
		if len(names) < 30 {
			t.Fatalf("%s: only %v", from.Name, names)
		}
		for _, name := range names {
			for what, put := range strange {
				replaced(t, from.Dir, name, what, put)
			}
		}
		if err := patient.GoOn(t, from.Dir); err != nil { // as it was again
			t.Errorf("%s: %v", from.Name, err)
		}
	}
}

// replaced tries every verb with something in the place of a file, and puts the file back.
func replaced(t *testing.T, dir, name, what string, put func(string) error) {
	t.Helper()
	path, kept := filepath.Join(dir, name), filepath.Join(t.TempDir(), "kept")
	moved := os.Rename(path, kept) == nil
	if err := put(path); err != nil {
		if what == "device" {
			_ = os.Rename(kept, path)
			return
		}
		t.Fatal(err)
	}
	before := files(t, dir)
	for verb, do := range map[string]func() error{
		"run": func() error { return patient.Examined(10, nil).Run(t.Context(), patient.Config(dir)) },
		"doctor": func() error {
			_, err := doctor.Examine(t.Context(), patient.Config(dir).ToInspect())
			return err
		},
		"repair": func() error {
			_, err := doctor.Repair(t.Context(), patient.Config(dir).ToInspect())
			return err
		},
		"look": func() error {
			i, err := inspect.Open(t.Context(), patient.Config(dir).ToInspect())
			if err == nil {
				err = i.Close()
			}
			return err
		},
	} {
		done := make(chan error, 1)
		go func() { done <- do() }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "is a "+what) || !strings.Contains(err.Error(), "remove it") {
				t.Errorf("%s with a %s at %s: %v", verb, what, name, err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s waits for a %s at %s", verb, what, name)
		}
	}
	if after := files(t, dir); !maps.Equal(before, after) {
		t.Errorf("a %s at %s: the directory was changed:\n%v\n%v", what, name, before, after)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if moved {
		if err := os.Rename(kept, path); err != nil {
			t.Fatal(err)
		}
	}
}

// files are the names below a directory that are not of directories, with what tells whether they changed.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	list := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		list[name] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime().UnixNano())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
