// Package mend checks the tables of a store before Badger sees them, says what is damaged, and finds bits
// that are flipped.
package mend
