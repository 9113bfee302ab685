// Package flags has the values that flags and arguments of the command may have,
// and the error of a command line that is wrong. It knows nothing of pipelines.
package flags
