//go:build unix

package scratch

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"penstock/internal/testing/leak"
)

// asHolder makes the test binary a process that makes a directory, says where, and waits.
const asHolder = "PENSTOCK_TEST_AS_HOLDER"

func TestMain(m *testing.M) {
	if os.Getenv(asHolder) != "" {
		dir, err := Make(ForLook)
		if err != nil {
			panic(err)
		}
		fmt.Println(dir.Path)
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	leak.Main(m)
}

// holder starts a process that has a directory with something in it.
func holder(t *testing.T, temp string) (path string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asHolder+"=1", "TMPDIR="+temp)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = stdin.Close() })
	t.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	path = strings.TrimSpace(line)
	if err := os.WriteFile(filepath.Join(path, "copy"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, kill
}

func TestMakeRemovesWhatAKilledProcessLeftAndNothingElse(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	living, _ := holder(t, temp)
	dead, kill := holder(t, temp)
	kill()
	own, err := Make(ForExamination)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	kept := filepath.Join(elsewhere, "kept")
	link, file, other := filepath.Join(temp, "penstock-look-link"), filepath.Join(temp, "penstock-look-file"), filepath.Join(temp, "penstock-other")
	for _, err := range []error{os.WriteFile(kept, nil, 0o600), os.Symlink(elsewhere, link), os.WriteFile(file, nil, 0o600), os.Mkdir(other, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	mine, err := Make(ForLook)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(living, "copy"), own.Path, mine.Path, kept, link, file, other} {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("removed: %v", err)
		}
	}
	if _, err := os.Lstat(dead); !os.IsNotExist(err) {
		t.Errorf("%s of a killed process is there: %v", dead, err)
	}
	for _, d := range []*Dir{own, mine} {
		if err := d.Remove(); err != nil {
			t.Error(err)
		}
	}
}

// A directory is never taken away from who has just made it.
func TestManyMakeAtOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				d, err := Make(ForLook)
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(filepath.Join(d.Path, "copy"), nil, 0o600); err != nil {
					t.Error(err)
				}
				if err := d.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
