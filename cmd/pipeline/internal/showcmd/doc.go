// Package showcmd has the flags of the dashboard, and the verbs graph and replay-telemetry.
package showcmd
