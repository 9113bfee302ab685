// Package ports is what the commit protocol works against: the log of an instance, its store, the server, the dead letters and
// a clock. The simulation has its own of each.
package ports
