// Package where finds a pipeline: it has the flags for data directory, NATS server and frame keys, and reads the
// directory, or asks the process that has locked it.
package where
