// Command pipeline runs the pipelines that come with Penstock and looks into
// them.
//
//	pipeline run                            the lesson: fizzbuzz, one beat a second, with faults
//	pipeline run fizzbuzz --rate 10ms       the same, faster
//	pipeline run wordcount --ext .go DIR    count the words of files into counts.txt
//	pipeline run unstablecounter            a counter that overflows, and recovers from its snapshots
//	pipeline state worker                   the committed state of a stage, running or not
//	pipeline events worker                  what happened to a stage, running or not
//	pipeline dlq list                       the messages that failed: see also show, replay, discard, export, import, watch
//	pipeline graph fizzbuzz --format svg    the graph of a pipeline, without running it
//	pipeline replay-telemetry FILE          what the dashboard recorded, as it was
//	pipeline doctor                         what is wrong with a data directory, and which command mends it
//	pipeline repair                         mend it, after a backup, or say why not
//	pipeline version
//
// A pipeline keeps everything in one data directory (--dir), by default
// $XDG_STATE_HOME/penstock/<pipeline>. A run that was interrupted, by a signal
// or by whatever, goes on where it was when it is started again. One that had
// completed starts anew, and so does any with --fresh. A process that dies when
// its run is complete, but before that is reported, leaves the report to the next one.
//
// Nothing has to be installed: without --nats the command runs a NATS server
// of its own, inside the process.
//
// A run shows itself at http://127.0.0.1:9900/, or at the next free port: its log
// says where. --telemetry ADDR or $PENSTOCK_TELEMETRY names another address, off
// is none. Package telemetry has the rest.
//
// The exit code is 0 when the run is complete or was stopped by SIGINT or
// SIGTERM in an orderly way, 1 when it failed and 2 when the command line was
// wrong. What stages and engine tell goes to standard error, results go to
// standard output.
//
// With --guard the run is in a child process, the worker, and a small guard
// starts it again when it dies. Signals are passed on, the exit code is the
// worker's: of one that died after a signal to stop 128 and the number of the
// signal that killed it, or what it exited with. It is 1 when the guard gives
// up.
//
// The verbs of dlq work on a pipeline that runs and on one that does not; with
// --nats also without its data directory, by the name alone (--pipeline). They
// never load all letters into memory. What replay asks for is done by the stage,
// at once or when it runs the next time. Without a terminal discard wants --yes,
// and nothing but --all means all.
//
// The exit code of doctor is 0 when nothing is wrong, 1 when something is, 2 when
// the command line was wrong and 3 when it could not look. That of repair is 0 when
// nothing is wrong any more, 1 when it refuses or fails, and 2 and 3 likewise.
//
// While a pipeline runs, the socket control.sock in its data directory answers
// HTTP requests of the user it belongs to: GET /v1/status, GET
// /v1/state/{stage} with an optional ?key=K, GET /v1/events, GET
// /v1/events/{stage}, GET /v1/examination, and what dlq asks: POST /v1/dead-letters/select, watch,
// replay, discard and import.
package main
