//go:build !unix

package disk

func openFileLimit() (limit uint64, isKnown bool) { return 0, false }
