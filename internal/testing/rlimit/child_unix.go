//go:build unix

package rlimit

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// Child is a function that a process of its own runs. Name is the environment variable that tells that process so.
type Child struct {
	Name     string
	Resource int    // such as syscall.RLIMIT_FSIZE
	Most     uint64 // of it
	Do       func(dir string)
}

// Init runs the function and ends the process, if this is the process for it. It belongs into an init function of the
// package that is tested.
func (c Child) Init() {
	dir := os.Getenv(c.Name)
	if dir == "" {
		return
	}
	if err := syscall.Setrlimit(c.Resource, &syscall.Rlimit{Cur: c.Most, Max: c.Most}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	c.Do(dir)
	os.Exit(0)
}

// Output is what the function prints in a process of its own.
func (c Child) Output(t *testing.T, dir string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), c.Name+"="+dir)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("the process with the limit: %v: %s", err, out)
	}
	return string(out)
}
