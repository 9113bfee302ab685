package disk

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
)

// refusals are what the operating system answers when it does not do what it is asked for, though nothing is wrong with
// the data, and what mends that.
var refusals = []struct {
	errno  syscall.Errno
	remedy string
}{
	{syscall.EFBIG, "raise the limit of the size of files (ulimit -f in a shell, LimitFSIZE in a systemd unit), or use another file system"},
	{syscall.EDQUOT, "free some disk space, or raise the disk quota of this user"},
	{syscall.ENOSPC, "free some disk space"},
	{syscall.EIO, "see the system's log for what is wrong with the disk, mend it, and start again"},
	{syscall.EROFS, "mount the file system for writing"},
	{syscall.EMFILE, "raise the limit of open files (ulimit -n in a shell, LimitNOFILE in a systemd unit)"},
	{syscall.ENFILE, "let the system open more files (fs.file-max on Linux)"},
	{syscall.EACCES, "give this user the right to read and write the files"},
	{syscall.EPERM, "give this user the right to read and write the files"},
	{syscall.ENOMEM, "free some memory, or allow this process more"},
	{syscall.ESTALE, "mount the file system again, and start again"},
}

// Refusal finds what the operating system refused, and returns what mends it.
func Refusal(err error) (remedy string, isRefusal bool) {
	for _, r := range refusals {
		if errors.Is(err, r.errno) {
			return r.remedy, true
		}
	}
	return "", false
}

// RefusalOfBadger is Refusal for an error of Badger about the store in dir: Badger keeps only the text of the errors
// that it wraps. What the directory is called is no part of what was refused.
func RefusalOfBadger(dir string, err error) (remedy string, isRefusal bool) {
	if remedy, isRefusal = Refusal(err); isRefusal {
		return remedy, true
	}
	text := err.Error()
	for _, name := range []string{dir, filepath.Clean(dir)} {
		if name != "" {
			text = strings.ReplaceAll(text, name, "…")
		}
	}
	for _, r := range refusals {
		if strings.Contains(text, ": "+r.errno.Error()) {
			return r.remedy, true
		}
	}
	return "", false
}
