//go:build unix

package poison

import (
	"os"
	"syscall"
)

// die is what the kernel does to a process when memory is short.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

var hoard [][]byte

// exhaust lets the system refuse memory: less is allowed than is in use.
func exhaust() {
	_ = syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20})
	for {
		hoard = append(hoard, make([]byte, 64<<20))
	}
}
