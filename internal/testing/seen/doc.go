// Package seen keeps what a sink of a test got, and reports what is lost, doubled or changed.
package seen
