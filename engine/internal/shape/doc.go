// Package shape shows the state of a stage as JSON without the program of its pipeline: how it is encoded, and whether it
// is one value or one for each key, is kept beside the checkpoint.
package shape
