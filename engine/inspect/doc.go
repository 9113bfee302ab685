// Package inspect reads what a stopped pipeline has left in its data directory and its channels: the state of each
// stage, its history and the dead letters. It does not need the pipeline's program. It changes nothing, except when you
// replay or discard dead letters. Package doctor finds out whether anything is wrong with the directory, and mends it.
package inspect
