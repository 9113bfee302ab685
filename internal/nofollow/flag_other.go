//go:build !unix

package nofollow

// Flag would make an open fail where there is a link: there is none here.
const Flag = 0
