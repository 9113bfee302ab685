// Package runcmd is the verb run: one run of a pipeline with its flags, arguments, guard, progress,
// control socket, telemetry, traces and report.
package runcmd
