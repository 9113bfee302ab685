package supervise

import (
	"errors"
	"fmt"
	"strings"
)

type escalated struct{ err error }

func (e *escalated) Error() string { return e.err.Error() }
func (e *escalated) Unwrap() error { return e.err }

// Escalate marks err as a failure that restarting cannot mend. A child that returns it stops the whole supervisor. The
// text stays the same. Escalate(nil) is nil.
func Escalate(err error) error {
	if err == nil {
		return nil
	}
	return &escalated{err}
}

// IsEscalated says whether Escalate marked err or an error that it wraps.
func IsEscalated(err error) bool {
	var e *escalated
	return errors.As(err, &e)
}

// AbandonedError names the children that did not return in time after they were told to stop. Their goroutines still run.
type AbandonedError struct {
	Children []string // in the order of Supervisor.Children
	Cause    error    // why they were to stop: the error of the context, or the failure that was escalated
}

// Error names the children and the cause.
func (e *AbandonedError) Error() string {
	return fmt.Sprintf("supervise: did not stop in time and were left behind: %s (stopping because of: %v)",
		strings.Join(e.Children, ", "), e.Cause)
}

// Unwrap returns Cause.
func (e *AbandonedError) Unwrap() error { return e.Cause }
