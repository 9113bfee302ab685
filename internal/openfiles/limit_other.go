//go:build !unix

package openfiles

// Limit is how many files the process may open at a time. Here it is not known.
func Limit() (limit uint64, isKnown bool) { return 0, false }
