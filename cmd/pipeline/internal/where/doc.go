// Package where finds a pipeline: the flags for its data directory, its NATS server and its frame keys,
// and a look into the directory, or a question to the process that has locked it.
package where
