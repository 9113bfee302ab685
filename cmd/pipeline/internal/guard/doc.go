// Package guard keeps a process alive: a guard starts a worker, passes signals on to it, and starts another one when it
// has died. A [Link] is the worker's end of the connection. Over it the worker reports its progress, so that the guard
// can tell an orderly end from a death.
package guard
