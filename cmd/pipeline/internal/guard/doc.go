// Package guard keeps a process alive: a guard starts a worker, passes signals on to it,
// and starts another one when it has died. A [Link] is the worker's end of that: over it
// the worker says how far it came, so that an end of its own will is told from a death.
package guard
