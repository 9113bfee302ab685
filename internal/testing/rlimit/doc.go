// Package rlimit runs a function of a test in a process that has a limit of the operating system.
package rlimit
