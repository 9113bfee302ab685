package ownbinary

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var (
	workplace string // where the programs are built
	building  sync.Mutex
)

func TestMain(m *testing.M) {
	var err error
	if workplace, err = os.MkdirTemp("", "penstock-ownbinary"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(workplace)
	os.Exit(code)
}

// built is a program of testdata, built in a module of its own outside of Penstock's.
// What that needs of other modules is what Penstock needs; nothing is downloaded.
func built(t *testing.T, name string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	dir := filepath.Join(workplace, name)
	program := filepath.Join(dir, name)
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	module := strings.Replace(read(t, filepath.Join(root, "go.mod")), "module penstock\n", "module example.com/"+name+"\n", 1)
	module += "\nrequire penstock v0.0.0\n\nreplace penstock => " + root + "\n"
	for file, text := range map[string]string{
		"go.mod":  module,
		"go.sum":  read(t, filepath.Join(root, "go.sum")),
		"main.go": read(t, filepath.Join("testdata", name, "main.go")),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return program
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
