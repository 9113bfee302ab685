// Package app is one invocation of a program: what it needs of the system, its log, how signals end it, and how an
// error becomes an exit code.
package app
