package supervise

import "errors"

type fatal struct{ err error }

func (e *fatal) Error() string { return e.err.Error() }
func (e *fatal) Unwrap() error { return e.err }

// Fatal marks err as a failure that no restart can mend, like a data directory that belongs to another pipeline. A
// child that returns it, or panics with it, stops every group up to the root, whose Serve returns it with the path of
// names in front. The text stays the same. Fatal(nil) is nil.
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
// *EscalatedError; what then happens is up to its parent's policy for it, strategy and limit. The root has no parent:
// its Serve returns the error. The text stays the same. Escalate(nil) is nil.
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

type uncounted struct{ err error }

func (e *uncounted) Error() string { return e.err.Error() }
func (e *uncounted) Unwrap() error { return e.err }

// Uncounted marks a failure whose repetitions the caller bounds, like the attempts of one message: the child is
// restarted after its backoff delay as always, but no Limit counts it. The text stays the same. Uncounted(nil) is nil.
func Uncounted(err error) error {
	if err == nil {
		return nil
	}
	return &uncounted{err}
}

// IsUncounted says whether Uncounted marked err or an error that it wraps.
func IsUncounted(err error) bool {
	var e *uncounted
	return errors.As(err, &e)
}

// within finds an error of type T in err as errors.As does, but does not look into how a group ended: a mark in there
// was meant for that group, not for its parent.
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

// isUncounted says whether no limit counts a failure: by its mark, or because the check that found it says so.
func isUncounted(err error) bool {
	unwell, ok := within[*UnhealthyError](err)
	return ok && unwell.Uncounted || isMarked[*uncounted](err)
}
