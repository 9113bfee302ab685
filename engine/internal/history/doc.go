// Package history keeps the newest events of a stage in the store, for the next process and for those that look at the
// directory of a stopped pipeline.
package history
