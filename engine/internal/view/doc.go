// Package view holds the committed view of an instance: the control part of its last commit, and for a keyed stage the
// states that changed since the last checkpoint. At a start the checkpoint and the frames after it bring it up to the
// end of the instance's log.
package view
