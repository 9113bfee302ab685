//go:build !unix

package disk

// fileSizeLimit is how large a file the process may make. Here it is not known.
func fileSizeLimit() (limit uint64, isKnown bool) { return 0, false }
