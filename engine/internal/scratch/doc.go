// Package scratch makes directories for copies that a look works with, and removes those that killed processes left.
package scratch
