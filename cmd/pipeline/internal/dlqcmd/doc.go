// Package dlqcmd is the verb dlq: it lists, shows, replays, discards, exports, imports and watches
// dead letters, in a directory, on a server or through the process that runs the pipeline.
package dlqcmd
