package state

import (
	"penstock/engine/frame"
	"penstock/engine/internal/view"
)

// Keeper is the state of one instance while it runs: one value, or one
// per key. What is committed lives in package view; this is what is being worked
// on since.
type Keeper interface {
	// Collect says in a frame what changed since the last Collect.
	Collect() (frame.State, error)
	// Rollback returns to what is committed.
	Rollback(c *view.View) error
	// Mark remembers the state before a call, and Undo returns to it.
	// Undo says false when it cannot: then only rollback helps.
	Mark()
	Undo() bool
	// Check says whether Collect could write what the call at hand left, and
	// CheckBefore whether it could write what is committed.
	Check() error
	CheckBefore(c *view.View) error
	// Boundary remembers the state between two calls of a source, whose
	// next call may already change it while the last one is committed.
	// Prepare does what takes the user's codec, before.
	Prepare() error
	Boundary()
	// ToBoundary returns to it.
	ToBoundary() error
	// Save remembers the state before a hook, and restore returns to it.
	Save() (restore func() error)
}
