package supervise

import (
	"errors"
	"fmt"
	"strings"
)

type fatal struct{ err error }

func (e *fatal) Error() string { return e.err.Error() }
func (e *fatal) Unwrap() error { return e.err }

// Fatal marks err as a failure that no restart can mend, like a data directory that belongs to somebody else. A child that
// returns it, or panics with it, stops every group up to the root, whose Serve returns it with the path of names in front.
// The text stays the same. Fatal(nil) is nil.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	return &fatal{err}
}

// IsFatal says whether Fatal marked err or an error that it wraps.
func IsFatal(err error) bool {
	var e *fatal
	return errors.As(err, &e)
}

type escalated struct{ err error }

func (e *escalated) Error() string { return e.err.Error() }
func (e *escalated) Unwrap() error { return e.err }

// Escalate marks err as a failure that the child's group cannot mend. The group stops and fails with it, as an
// *EscalatedError; what then happens is up to its parent's policy for it, strategy and limit. The root has no parent: its
// Serve returns the error. The text stays the same. Escalate(nil) is nil.
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

// EscalatedError is how a group ends whose child, or the child's recovery function, passed a failure up.
type EscalatedError struct {
	Group string // path of the group; at the root the name of the Supervisor, which may be empty
	Child string
	Cause error
}

// Error names the group, the child and the cause.
func (e *EscalatedError) Error() string {
	return fmt.Sprintf("%schild %q escalated: %v", groupPrefix(e.Group), e.Child, e.Cause)
}

// Unwrap returns Cause.
func (e *EscalatedError) Unwrap() error { return e.Cause }

// AbandonedError names the children that did not return in time when their group stopped for good. Their goroutines still
// run.
type AbandonedError struct {
	Children []string // in start order, with the path of their group in front, "back/worker"
	Cause    error    // why they were to stop: the error of the context, or the failure of the group
}

// Error names the children and the cause.
func (e *AbandonedError) Error() string {
	return fmt.Sprintf("supervise: did not stop in time and were left behind: %s (stopping because of: %v)",
		strings.Join(e.Children, ", "), e.Cause)
}

// Unwrap returns Cause.
func (e *AbandonedError) Unwrap() error { return e.Cause }

func groupPrefix(group string) string {
	if group == "" {
		return ""
	}
	return fmt.Sprintf("group %q: ", group)
}

// within finds an error of type T in err as errors.As does, but does not look into how a group ended: a mark in there was
// meant for that group, not for its parent.
func within[T error](err error) (found T, ok bool) {
	for err != nil {
		switch err.(type) {
		case *LimitError, *EscalatedError:
			return found, false
		}
		if found, ok = err.(T); ok {
			return found, true
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				if found, ok = within[T](err); ok {
					return found, true
				}
			}
			return found, false
		default:
			return found, false
		}
	}
	return found, false
}

func isMarked[T error](err error) bool {
	_, ok := within[T](err)
	return ok
}
