package supervise

import "fmt"

// Policy says after which ends a child is started again.
type Policy uint8

const (
	Transient Policy = iota // restarted after a failure, not after a normal end; the zero value
	Permanent               // restarted however it ends
	Temporary               // never restarted
)

var policyNames = [...]string{"transient", "permanent", "temporary"}

// String returns the policy in plain lower-case words.
func (p Policy) String() string { return nameOf(policyNames[:], "policy", uint8(p)) }

// Restarts says whether a child that ended for that reason is started again. After Shutdown no child is.
func (p Policy) Restarts(r Reason) bool {
	switch {
	case r == Shutdown || p == Temporary:
		return false
	case r == Normal:
		return p == Permanent
	}
	return true
}

// Reason says why a child ended.
type Reason uint8

const (
	Normal    Reason = iota // Serve returned nil
	Error                   // Serve returned an error
	Panic                   // Serve panicked, or ended its goroutine
	Unhealthy               // it was stopped because a health check failed too often
	Shutdown                // it was told to stop: with its group, because of a sibling, or by an operator
)

var reasonNames = [...]string{"normal", "error", "panic", "unhealthy", "shutdown"}

// String returns the reason in plain lower-case words.
func (r Reason) String() string { return nameOf(reasonNames[:], "reason", uint8(r)) }

// ReasonOf returns Normal for nil, Panic for an error that wraps a *PanicError, Unhealthy for one that wraps an
// *UnhealthyError, and Error otherwise. How a group ended, a *LimitError or *EscalatedError, is an Error whatever it
// wraps.
func ReasonOf(err error) Reason {
	if err == nil {
		return Normal
	}
	if _, ok := within[*PanicError](err); ok {
		return Panic
	}
	if _, ok := within[*UnhealthyError](err); ok {
		return Unhealthy
	}
	return Error
}

func nameOf(names []string, kind string, value uint8) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("%s %d", kind, value)
}
