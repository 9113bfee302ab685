// Package ports has the interfaces that the commit protocol uses: the log of an instance, its store, the server, the
// dead letters and a clock. The simulation implements each of them.
package ports
