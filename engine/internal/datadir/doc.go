// Package datadir is the data directory of a pipeline: its lock, where its parts are, the file that says what it is,
// its identity, and the note that it is being started over.
//
//	lock             held while a process uses the directory
//	pid              the process that runs or changes something
//	penstock.json    format, pipeline, and the server that has the channels
//	jetstream/       the files of the embedded server
//	checkpoints/     the store
//	in-flight        what every stage is doing
//	starting-over    there while the last run is being deleted
//
// A Directory is not safe for concurrent use. The lock keeps other processes out.
package datadir
