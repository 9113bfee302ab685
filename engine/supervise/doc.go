// Package supervise runs functions that should go on and starts them again when they fail.
//
// A [Supervisor] runs its children side by side. A [Child] that returns nil has ended for good. One that returns an error
// or panics is started again after a delay that grows from failure to failure, see [Backoff], and starts over from the
// shortest delay once the child has made progress in between. Its siblings notice nothing.
//
// Some failures no restart can mend: a data directory that belongs to somebody else, a gap in a channel. A child wraps
// such an error in [Escalate]; then every child is stopped and [Supervisor.Serve] returns the error.
//
// Children stop when their context is done. One that does not is left behind after a while and named, see
// [AbandonedError], since Go has no way to end a goroutine from outside.
//
// [Call] is the guard that turns a panic into an error; it is also useful on its own.
package supervise
