package engine

import (
	"time"

	"penstock/engine/internal/answer"
)

// Hold is returned by a message function that cannot take the message yet: it
// stays where it is, peeked, and comes again when something else moved in the
// stage (a message of another input, a timer). What the call emitted or
// changed is undone, and no attempt is counted.
var Hold = answer.Hold

// Snooze is returned by a message function to get the message again after d.
// Messages behind it on the same stream wait, those of other inputs go on.
// What the call emitted or changed is undone, and no attempt is counted.
func Snooze(d time.Duration) error { return &answer.Snooze{Delay: d} }

// Reject is returned by a message function for a message that can never
// succeed: it becomes a dead letter at once, without further attempts.
//
// A source's function returns it for something that it can make no value of. The
// call stands then: what it emitted and how it changed its state is committed, so
// it must have moved its place behind that first. The dead letter tells the error;
// RejectValue gives it bytes, too.
func Reject(err error) error { return RejectValue(nil, err) }

// RejectValue is Reject for a source, with what it could make no value of: the
// dead letter keeps its first 64 KiB.
func RejectValue(value []byte, err error) error {
	return answer.Reject(value, err)
}

// Unavailable is returned by any function of a stage when what it calls cannot
// be reached: not its fault, and not that of its message. What the call emitted
// or changed is undone, no attempt and no restart is counted; the call is made
// again after the delay of UnavailableBackoff, for as long as it takes. The
// answer may be wrapped. With a CircuitBreaker it counts as a failure there.
//
// A message, a batch and a timer wait by themselves: other inputs go on. A
// source, a recovery handler and the hooks Start and End hold up their stage
// meanwhile, and BeforeCommit its commits. Stop is not called again: the stage
// stops all the same. An orderly stop ends the wait, and the next run goes on
// where the last commit was. The Status and /readyz show the wait.
func Unavailable(err error) error { return answer.Unavailable(err) }

// Fatal is returned by any function of a stage for a failure that trying
// again cannot mend (a missing file, a wrong setting): the pipeline stops
// with this error. Nothing is lost; it resumes when the cause is gone.
func Fatal(err error) error { return answer.Fatal(err) }
