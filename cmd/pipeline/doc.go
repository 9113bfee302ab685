// Command pipeline runs the pipelines that come with Penstock and looks into
// them.
//
//	pipeline run                            the lesson: fizzbuzz, one beat a second, with faults
//	pipeline run fizzbuzz --rate 10ms       the same, faster
//	pipeline run wordcount --ext .go DIR    count the words of files into counts.txt
//	pipeline run unstablecounter            a counter that overflows, and recovers from its snapshots
//	pipeline state worker                   the committed state of a stage, running or not
//	pipeline events worker                  what happened to a stage, running or not
//	pipeline version
//
// A pipeline keeps everything in one data directory (--dir), by default
// $XDG_STATE_HOME/penstock/<pipeline>. A run that was interrupted, by a signal
// or by whatever, goes on where it was when it is started again. One that had
// completed starts anew, and so does any with --fresh.
//
// Nothing has to be installed: without --nats the command runs a NATS server
// of its own, inside the process.
//
// The exit code is 0 when the run is complete or was stopped by SIGINT or
// SIGTERM in an orderly way, 1 when it failed and 2 when the command line was
// wrong. What stages and engine tell goes to standard error, results go to
// standard output.
//
// While a pipeline runs, the socket control.sock in its data directory answers
// HTTP requests of the user it belongs to: GET /v1/status, GET
// /v1/state/{stage} with an optional ?key=K, GET /v1/events and GET
// /v1/events/{stage}.
package main
