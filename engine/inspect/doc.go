// Package inspect reads what a pipeline that is not running has left in its data directory and its channels: the state of
// each stage, its history and the dead letters. It needs nothing of the pipeline's program, and changes nothing but what is
// done with the dead letters. Package doctor finds out whether anything is wrong with the directory, and mends it.
package inspect
