// Package view holds what the commits of an instance say: the control part of the last one, and for a keyed stage the states
// that changed since the last checkpoint. It is brought up to the end of the instance's log by the checkpoint and the frames
// after it.
package view
