// Package tests holds what belongs to no single package: the rules that the whole tree must obey are here, the page in
// a browser in dashboard, the crash tests in crash, the simulation of the commit protocol in simulation, the soak in
// soak, and the benchmarks beside other systems in the module bench.
package tests
