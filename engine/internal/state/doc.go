// Package state is the state of one instance while it runs, as its functions change it: one value ([Whole]), or one for each
// key ([Keyed]). What is committed is in package view; this is what is being worked on since, with what undoes a call.
package state
