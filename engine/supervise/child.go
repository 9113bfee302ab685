package supervise

import (
	"context"
	"time"
)

// Child is something that runs until it ends or fails: a function, or a group of further children.
type Child struct {
	Name string // for events, errors and commands; unique in its supervisor; default Group.Name
	// Serve does the work until ctx is done. Returning nil is a normal end, anything else a failure; what follows is up to
	// Policy. ErrDone is a normal end for good; an error marked by Escalate ends the group, one marked by Fatal
	// everything. context.Cause(ctx) says why the child is to stop.
	Serve func(ctx context.Context) error
	// Group is a nested supervisor, instead of Serve. It is up when its children were started, ends normally when all of
	// them have ended, and fails as its Serve would. A restart starts its children anew, with an empty account.
	Group *Supervisor

	Policy  Policy  // after which ends it is started again; default Transient
	Backoff Backoff // how long to wait before that; the zero value is ready
	Limit   *Limit  // an account of its own; nil: its restarts count on its group's, all children together
	// Progress counts something that only grows while all is well. If it has grown since the last start, a failure is a
	// new one, and its delay the shortest. It is called between two runs of Serve, but after an abandoned one while that
	// may still run. It must not block; if it panics, there was no progress.
	Progress func() uint64

	Checks []Check // health checks

	// StopTimeout is how long it may take to stop when told to; default 5 s, negative: no time at all. Then the child is
	// abandoned. A nested Group needs none: its children have theirs.
	StopTimeout time.Duration
	// Abandon is asked when StopTimeout is over. If it returns true, the child's goroutine is left behind: whatever it
	// still does has no effect any more, and Serve may be called again beside it. If it returns false, that is not
	// possible now, and it is asked again after another StopTimeout, of at most 1 s from then on; so is one that panics.
	// nil is always true. It must not block.
	Abandon func() bool

	// Recover decides what follows a failure; nil: Policy does.
	Recover        func(ctx context.Context, f Fault) Decision
	RecoverTimeout time.Duration // how long Recover may take; default 5 s
}

const (
	defaultStopTimeout    = 5 * time.Second
	defaultRecoverTimeout = 5 * time.Second
	longestAbandonPause   = time.Second
)

func (c *Child) name() string {
	if c.Name == "" && c.Group != nil {
		return c.Group.Name
	}
	return c.Name
}

func (c *Child) progress() (n uint64) {
	if c.Progress != nil {
		_ = Call(func() error { n = c.Progress(); return nil })
	}
	return n
}

func (c *Child) stopTimeout() time.Duration {
	if c.StopTimeout == 0 {
		return defaultStopTimeout
	}
	return max(c.StopTimeout, 0)
}

func (c *Child) mayAbandon() (yes bool) {
	if c.Abandon == nil {
		return true
	}
	_ = Call(func() error { yes = c.Abandon(); return nil })
	return yes
}

func (c *Child) recoverTimeout() time.Duration {
	if c.RecoverTimeout <= 0 {
		return defaultRecoverTimeout
	}
	return c.RecoverTimeout
}

type runningKey struct{}

// Running tells the supervisor that the child which got ctx, or a context made from it, is up: it emits the event Up,
// and the intervals of the health checks start. Calling it is optional, and does nothing when the child has said so
// already, or has ended, or was not started by a supervisor. It does not block and is safe to call from any goroutine.
func Running(ctx context.Context) {
	if say, ok := ctx.Value(runningKey{}).(func()); ok {
		say()
	}
}
