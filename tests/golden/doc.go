// Package golden has a pipeline whose data directories, as builds of the past left them when they were killed, are kept in
// testdata: each later build has to open them, go on, and come to the exact result.
package golden
