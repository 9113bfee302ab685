//go:build unix

package disk

import "syscall"

// openFileLimit is the soft limit, which Go has raised to the hard one.
func openFileLimit() (limit uint64, isKnown bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true
}
