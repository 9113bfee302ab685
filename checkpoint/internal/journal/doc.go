// Package journal keeps the states of keys that changed lately in memory, and many of them in one entry
// of Badger: [Changes] is the table of them, a [Journal] is that of one instance.
package journal
