// Package openfiles shares the files that this process may open at a time: runs reserve what they need, a quarter is
// left to the user's sources and sinks and to tables of checkpoints that are made later, and the rest is for the
// connections of all listeners together.
package openfiles
