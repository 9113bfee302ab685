// Package mend checks the tables of a store before Badger opens them, reports what is damaged, and finds flipped bits.
package mend
