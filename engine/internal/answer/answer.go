package answer

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"penstock/engine/supervise"
)

// What an answer tells that was given nil.
var (
	errRejected    = errors.New("rejected without a reason")
	errUnavailable = errors.New("unavailable without a reason")
	errFatal       = errors.New("failed for good without a reason")
)

// Hold says that the message cannot be taken yet.
//
//lint:ignore ST1012 it is an answer, not a failure
var Hold = errors.New("hold")

// Snooze says that the message is to come again after a delay.
type Snooze struct{ Delay time.Duration }

func (s *Snooze) Error() string { return fmt.Sprintf("snooze for %v", s.Delay) }

// IsPostponed says that the answer is Hold or Snooze.
func IsPostponed(err error) bool {
	var s *Snooze
	return errors.Is(err, Hold) || errors.As(err, &s)
}

// Rejection says that trying again cannot help with this message, or, of a source, with what Value is the beginning of.
type Rejection struct {
	Err   error
	Value []byte
}

// Reject is a rejection for a reason, or for none.
func Reject(value []byte, err error) *Rejection {
	return &Rejection{cmp.Or(supervise.Sound(err), errRejected), value}
}

func (r *Rejection) Error() string {
	if r.Err == errRejected {
		return r.Err.Error()
	}
	return fmt.Sprintf("rejected: %v", r.Err)
}
func (r *Rejection) Unwrap() error { return r.Err }

// IsRejected says that the answer is a rejection.
func IsRejected(err error) bool {
	var r *Rejection
	return errors.As(err, &r)
}

// Unavailable says that what the function calls cannot be reached.
func Unavailable(err error) error { return &unavailable{cmp.Or(supervise.Sound(err), errUnavailable)} }

type unavailable struct{ err error }

func (u *unavailable) Error() string {
	if u.err == errUnavailable {
		return u.err.Error()
	}
	return fmt.Sprintf("unavailable: %v", u.err)
}
func (u *unavailable) Unwrap() error { return u.err }

// IsUnavailable says that the answer is Unavailable, unless another one is put
// around it.
func IsUnavailable(err error) bool {
	if err == nil { // each call asks: the rest allocates
		return false
	}
	var u *unavailable
	if !errors.As(err, &u) {
		return false
	}
	var f *fatal
	var r *Rejection
	return !(errors.As(err, &f) && errors.As(f.err, &u)) && !(errors.As(err, &r) && errors.As(r.Err, &u))
}

// Fatal says that trying again cannot mend the failure.
func Fatal(err error) error { return &fatal{cmp.Or(supervise.Sound(err), errFatal)} }

type fatal struct{ err error }

func (f *fatal) Error() string { return f.err.Error() }
func (f *fatal) Unwrap() error { return f.err }

// IsFatal says that the answer is Fatal.
func IsFatal(err error) bool {
	if err == nil {
		return false
	}
	var f *fatal
	return errors.As(err, &f)
}
