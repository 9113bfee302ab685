// Package showcmd draws: the flags by which a run shows itself in a browser, and the verbs graph and
// replay-telemetry.
package showcmd
