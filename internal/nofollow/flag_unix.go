//go:build unix

package nofollow

import "syscall"

// Flag makes an open fail where there is a link.
const Flag = syscall.O_NOFOLLOW
