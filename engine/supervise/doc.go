// Package supervise runs functions and starts them again when they fail: a supervision tree as in OTP.
//
// A [Supervisor] runs its children side by side. A [Child] ends for a [Reason]: it returned nil or an error, panicked,
// was found unhealthy, or was told to stop. Its [Policy] says after which reasons it is started again, its [Backoff]
// how long to wait before that, and the supervisor's [Strategy] which siblings are stopped and started with it.
//
// Restarts are bounded. A [Limit] bounds the restarts in a sliding window, for the group or for one child. The failure
// that exceeds it ends the group: all children are stopped, and [Supervisor.Serve] returns a [*LimitError]. Groups
// nest: a child may be a [Supervisor] itself, and its parent treats its failure like that of any child, with a policy,
// strategy and limit of its own. At the root the error is the caller's. [Production], [Strict] and [Lenient] are limits
// and delays that go together.
//
// A child can mark its error. [Escalate] passes a failure to the parent at once. [Fatal] stops the whole tree: it is
// for what no restart can mend, such as a data directory that belongs to another pipeline. [Uncounted] failures are
// bounded by the caller, and no limit counts them. [ErrDone] is an end for good. The child's Recover function gets each
// [Fault] and makes a [Decision], by policy or not. It is called in its own goroutine and contained like the child.
//
// A child that hangs does not fail by itself. A [Check] finds it: after some failures in a row the child is told to
// stop. Go cannot end a goroutine from outside, so a child that does not stop is abandoned: it keeps running, and the
// next life starts beside it. Child.Abandon can refuse that as long as it is not safe. Abandoned children that have no
// next life, and still run when Serve returns, are named in an [*AbandonedError].
//
// Every step is an [Event], and [Supervisor.Status] is a snapshot of all. While Serve runs, an operator can stop, start
// and restart single children, see [Supervisor.RestartChild].
//
// Children start in order and stop in reverse order, one at a time, also when Serve's context is done. One goroutine,
// the caller of Serve, makes all decisions of a group. It never waits, so a child that hangs while it stops, a slow
// probe or a slow recovery function holds up nothing else.
//
// [Call] turns a panic into an error. It is also useful on its own.
package supervise
