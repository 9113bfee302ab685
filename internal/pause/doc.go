// Package pause waits for a time, unless a context ends before.
package pause
