//go:build !unix

package nofollow

// Flag would make an open fail where there is a link, and not wait where there is a pipe: there is none of both here.
const Flag = 0

const directoryFlag = 0
