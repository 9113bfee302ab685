// Package partitions tests that the number of partitions of a stage can change between two runs: nothing is lost,
// nothing counts twice, dead letters of before can be replayed after, and a process that is killed at any step leaves
// a directory that goes on, with the new number or with the one before.
//
//	go test ./tests/partitions -run TestManyKeys -keys 1000000 -v   # prints what a change takes
package partitions
