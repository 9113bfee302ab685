//go:build unix

package openfiles

import "syscall"

// Limit is how many files the process may open at a time: the soft limit, which Go has raised to the hard one.
func Limit() (limit uint64, isKnown bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true
}
