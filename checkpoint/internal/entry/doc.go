// Package entry is what one entry of Badger looks like: the key, which says what it holds, and the value
// with its checksum.
package entry
