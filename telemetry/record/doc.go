// Package record sees how a pipeline stands: a look each second becomes a [Sample], triggers color what
// is out of bounds in it, and an hour of samples and events is kept, told to those who listen,
// and written as a recording. It serves nothing and draws nothing.
//
// A program meets these types in package telemetry, under the same names.
package record
