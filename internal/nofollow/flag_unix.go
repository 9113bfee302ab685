//go:build unix

package nofollow

import "syscall"

// Flag makes an open fail where there is a link, and not wait where there is a pipe.
const Flag = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// directoryFlag makes an open fail at once where there is no directory.
const directoryFlag = syscall.O_DIRECTORY
