package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Fault is what a recovery function is asked about.
type Fault struct {
	Group, Child string
	Reason       Reason
	Err          error
	Restarts     int    // failures before this one since the last progress or quiet time
	Total        uint64 // restarts of the child in this Serve of the root
	Abandoned    bool   // its goroutine, or one of its group, would not stop, was left behind and still runs
}

// Decision is what a recovery function chooses.
type Decision uint8

const (
	ByPolicy Decision = iota // what would happen without a recovery function
	Restart                  // restart it, even if its policy says no
	Ignore                   // start it again after its delay; no limit counts that, and its siblings are left alone
	GiveUp                   // it stays down
	PassUp                   // the group fails with it, see Escalate
)

var decisionNames = [...]string{"by policy", "restart", "ignore", "give up", "pass up"}

// String returns the decision in plain lower-case words.
func (d Decision) String() string { return nameOf(decisionNames[:], "decision", uint8(d)) }

// recovery is one call of a recovery function.
type recovery struct {
	failure  failure
	deadline time.Time
	cancel   context.CancelFunc
}

// ask decides on a failure, after asking the recovery function if there is one. The manager does not wait for it: the
// function runs in a goroutine of its own, and is left behind when its time is over.
func (g *group) ask(m *member, f failure) {
	if m.child.Recover == nil {
		g.decide(m, f, ByPolicy)
		return
	}
	timeout := m.child.recoverTimeout()
	ctx, cancel := context.WithTimeout(g.values, timeout)
	r := &recovery{failure: f, deadline: time.Now().Add(timeout), cancel: cancel}
	m.recovery = r
	m.enter(StateBackingOff)
	fault := Fault{Group: g.path, Child: m.child.name(), Reason: f.reason, Err: f.err,
		Restarts: m.restarts, Total: m.status.Starts - 1, Abandoned: f.abandoned}
	late := fmt.Errorf("supervise: the recovery function of %q did not return within %v", m.child.name(), timeout)
	g.agenda.add(r, r.deadline, func() { g.recovered(m, r, PassUp, late) })
	var d Decision
	launch(func() error { d = m.child.Recover(ctx, fault); return nil }, func(err error) {
		g.mail.post(func() {
			if err == nil && !time.Now().Before(r.deadline) {
				err = late
			}
			g.recovered(m, r, d, err)
		})
	})
}

// recovered takes the answer; err is how the recovery function itself failed.
func (g *group) recovered(m *member, r *recovery, d Decision, err error) {
	if m.recovery != r {
		return
	}
	m.recovery = nil
	r.cancel()
	g.agenda.drop(r)
	f := r.failure
	if err != nil {
		m.note(func(s *ChildStatus) { s.RecoveryFailures++ })
		g.emit(m, Event{Kind: RecoveryFailed, Err: err})
		d, f.err = PassUp, errors.Join(f.err, fmt.Errorf("recovery function: %w", err))
	}
	switch {
	case g.closing || m.want == wantDown:
		g.stopped(m)
		m.done(wantDown)
		g.tellEnd(m, ChildEnd{Reason: f.reason, Err: f.err})
	case m.want == wantUp:
		g.tellEnd(m, ChildEnd{Reason: f.reason, Err: f.err, Restarting: true})
		g.bringUp(m)
	default:
		g.decide(m, f, d)
	}
}
