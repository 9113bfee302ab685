// Command pipeline runs the pipelines that come with Penstock, and shows what they do.
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
//	pipeline nats-permissions NAME          the permissions that a pipeline needs on a NATS server
//	pipeline version
//
// A pipeline keeps everything in one data directory (--dir), by default $XDG_STATE_HOME/penstock/<pipeline>. An
// interrupted run resumes when it is started again, whatever interrupted it. After a complete run the next one starts
// from the beginning, and so does any run with --fresh. If a process dies when its run is complete, but before that is
// reported, the next run reports it.
//
// You need to install nothing: without --nats the command runs its own NATS server inside the process.
//
// A run serves a dashboard at http://127.0.0.1:9900/, or at the next free port: its log says where. --telemetry ADDR or
// $PENSTOCK_TELEMETRY names another address, and off turns it off. Package telemetry has the rest.
//
// The exit code is 0 when the run is complete or was stopped by SIGINT or SIGTERM in an orderly way, 1 when it failed
// and 2 when the command line was wrong. The log of stages and engine goes to standard error, results go to standard
// output.
//
// With --guard the run is in a child process, and a small guard starts it again when it dies. Signals are passed on.
// The exit code is that of the child process. If that died after a signal to stop, it is 128 and the number of the
// signal that killed it, or the exit code of the child process. It is 1 when the guard gives up.
//
// The verbs of dlq work on a running and on a stopped pipeline. With --nats they also work where it has no
// data directory and --dir names none, by the name alone (--pipeline). They never load all letters into memory. The
// stage handles a replay at once, or in the next run. Without a terminal discard needs --yes, and only --all means all.
//
// The exit code of doctor is 0 when nothing is wrong and 1 when something is. That of repair is 0 when nothing is wrong
// any more and 1 when it refuses or fails. All verbs end with 2 when the command line was wrong. All that look into a
// pipeline end with 3 when they could not look. docs/operations.md has the table.
//
// While a pipeline runs, the socket control.sock in its data directory answers HTTP requests of the user that it
// belongs to: GET /v1/status, GET /v1/state/{stage} with an optional ?key=K, GET /v1/events, GET /v1/events/{stage},
// GET /v1/examination, and for dlq POST /v1/dead-letters/select, watch, replay, discard and import.
package main
