// Package history keeps the newest events of a stage in the store, for the next process and for commands that read the
// directory of a stopped pipeline.
package history
