// Package state is the state of one instance while it runs, as its functions change it: one value ([Whole]), or one for
// each key ([Keyed]). Package view has what is committed. This package has the changes since then, and what undoes a
// call.
package state
