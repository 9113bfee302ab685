// Package bitflip finds the bit that a disk has flipped.
package bitflip
