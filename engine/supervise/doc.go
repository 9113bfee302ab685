// Package supervise runs functions that should go on and starts them again when they fail: a supervision tree as in OTP.
//
// A [Supervisor] runs its children side by side. A [Child] ends for a [Reason]: it returned nil or an error, panicked, was
// found unhealthy, or was told to stop. Its [Policy] says after which of them it is started again, its [Backoff] how long
// to wait before, and the supervisor's [Strategy] which siblings are stopped and started with it.
//
// Restarting does not go on without end. A [Limit] bounds the restarts in a sliding window, for the group or for one child. The
// failure that exceeds it ends the group: all children are stopped, and [Supervisor.Serve] returns a [*LimitError]. Groups
// nest: a child may be a [Supervisor] itself, and its parent treats its failure like that of any child, with a policy,
// strategy and limit of its own. At the root the error is the caller's. [Production], [Strict] and [Lenient] are limits and
// delays that go together.
//
// A child can say more than that it failed. [Escalate] passes a failure to the parent at once; [Fatal] is for what no
// restart can mend, like a data directory that belongs to another pipeline, and stops the whole tree; [Uncounted] failures are
// bounded by the caller, and no limit counts them; [ErrDone] is an end for good. The child's Recover function sees each
// [Fault] and makes a [Decision], by policy or not. It is called in a goroutine of its own and contained like the child.
//
// A child that hangs does not fail by itself. A [Check] finds out: after some failures in a row the child is told to stop.
// Go has no way to end a goroutine from outside, so one that does not stop is abandoned: left behind, with the next life
// beside it. Child.Abandon can refuse that as long as it is not safe. Those that have no next life, and still run when
// Serve returns, are named in an [*AbandonedError].
//
// Every step is an [Event], and [Supervisor.Status] is a snapshot of all. While Serve runs, an operator can stop, start and
// restart single children, see [Supervisor.RestartChild].
//
// Children start in order and stop in reverse order, one at a time, also when Serve's context is done. All decisions of a
// group are made by one goroutine, the caller of its Serve; it never waits, so that a child that hangs in stopping, a
// slow probe or recovery function holds up nothing else.
//
// [Call] is the guard that turns a panic into an error; it is also useful on its own.
package supervise
