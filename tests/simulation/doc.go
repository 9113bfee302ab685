// Simulation plays the commit protocol under schedules of faults, all chosen from one seed.
//
//	go run ./tests/simulation -time 1m            a minute of schedules
//	go run ./tests/simulation -seed 7 -schedules 1000000
//	go run ./tests/simulation -seed 7 -schedule 4711   one of them, printed step by step
//	go run ./tests/simulation -mutations          which missing rules of the protocol are noticed, and after how many schedules
//
// The simulation itself is engine/internal/simulation, which is all tests. This command builds and runs them.
// docs/simulation.md says what is real in it and what is not.
package main
