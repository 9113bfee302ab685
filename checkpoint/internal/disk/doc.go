// Package disk is what the store needs of the file system: reserved space for Badger's files, the syncs that Badger
// leaves out, limits, leftovers of a crash, and errors for pages that cannot be read.
package disk
