// Package journal keeps the states of recently changed keys in memory, and many of them in one entry of Badger.
// [Changes] is a table of them. A [Journal] belongs to one instance.
package journal
