//go:build unix

package disk

import "syscall"

// fileSizeLimit is how large a file the process may make.
func fileSizeLimit() (limit uint64, isKnown bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true
}
