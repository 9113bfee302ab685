// Package shape shows the state of a stage as JSON without the program of its pipeline. The encoding of the state, and
// whether it is one value or one per key, is stored beside the checkpoint.
package shape
