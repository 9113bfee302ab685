// Package simulation plays the commit protocol: the code of the tasks, on a server, disks and a clock of its own. Every
// choice is made from a seed: which goroutine goes on, what is late, lost, cut off, full or taken over.
// docs/simulation.md says what is checked.
//
// A schedule begins as a world (world_test.go) with a pipeline (pipelines_test.go), and goes on choice by choice
// (choices_test.go), with faults between (faults_test.go), in coroutines (coroutine_test.go): processes
// (process_test.go) with tasks (session_test.go), and a server (broker_test.go). At its end it is judged
// (oracle_test.go). register_test.go and its neighbours play owners alone, which take an instance over from one
// another.
//
// All files are tests, so that no program contains them. The command tests/simulation builds and runs them.
package simulation
