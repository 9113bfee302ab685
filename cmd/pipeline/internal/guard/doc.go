// Package guard keeps a process alive: a guard starts a child process, passes signals on to it, and starts another one
// when it has died. A [Link] is the child process's end of the connection. Over it the child process reports its
// progress, so that the guard can tell an orderly end from a death.
package guard
