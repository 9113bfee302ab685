// Package scratch makes temporary directories for copies of what is to be read, and removes those that killed processes
// left.
package scratch
