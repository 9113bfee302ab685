// Package golden has a pipeline whose data directories are kept in testdata, as earlier builds left them when they were
// killed. Each later build must open them, go on, and come to the exact result.
package golden
