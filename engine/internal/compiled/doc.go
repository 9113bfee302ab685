// Package compiled hands out what a pipeline of package engine was compiled to. The simulation of the protocol runs
// that without a server, a disk and a clock. The public engine.Pipeline does not show it.
package compiled
