// Package tests holds what belongs to no single package. The rules that the whole tree must obey are here. In the
// directories are: the crash tests (crash), the fault campaign (chaos), the simulation of the commit protocol
// (simulation), the soak (soak), data directories of earlier builds (golden), programs of users (ownbinary), the page
// in a browser (dashboard), changes of the number of partitions (partitions), what watching and supervision cost
// (watched, supervision), and, as a module of its own, the benchmarks beside other systems (bench).
package tests
