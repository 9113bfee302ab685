package task

import (
	"fmt"
	"strings"
	"time"

	"penstock/internal/counted"
)

// AtLimitError says that a message has failed at every attempt, or that a source
// has a value that cannot be sent, and that the stage is to stop, or its failure
// to go up, instead of losing sight of it. The next start tries it again.
type AtLimitError struct {
	Stage    string
	Message  string // "numbers.0:33"; of a source the call, "step:12"
	Attempts int
	Reason   string // the last error
}

func (e *AtLimitError) Error() string {
	what := toldOf(e.Message)
	if what == e.Message {
		what = "message " + what
	}
	return fmt.Sprintf("%s has failed at %s, the last time with: %s", what, counted.Things(e.Attempts, "attempt"), e.Reason)
}

// TooLargeError says that a stage emitted more at once than the server takes
// in one message.
type TooLargeError struct {
	Stage  string
	Stream string // "" for the outputs of one call together, and the state
	Size   int
	State  int    // bytes of Size that are state
	Key    string // whose state it is, in a keyed stage
	Limit  int
}

func (e *TooLargeError) Error() string {
	if e.Stream != "" {
		return fmt.Sprintf("stage %s emitted a value of %d bytes to %s, more than the %d bytes that fit into one message of the server: "+
			"emit less at once, or raise the server's max_payload", e.Stage, e.Size, e.Stream, e.Limit)
	}
	whose := ""
	if e.Key != "" {
		whose = fmt.Sprintf(" of key %.100q", e.Key)
	}
	return fmt.Sprintf("stage %s made in one call %d bytes of outputs and %d of state%s, more than the %d bytes that fit into one message of the server: "+
		"emit less at once, keep less in the state, or raise the server's max_payload", e.Stage, e.Size-e.State, e.State, whose, e.Limit)
}

// GivenUpError says that stages were given up, by their restart policy or their
// recovery function, and had not ended. They keep their state and messages, and
// the next run goes on with them.
type GivenUpError struct {
	Stages []string
	Causes []error // the failure of each
}

func (e *GivenUpError) Error() string {
	var b strings.Builder
	for k, name := range e.Stages {
		if k > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "stage %s was given up: %v", name, e.Causes[k])
	}
	b.WriteString(" (nothing is lost: the next run resumes with the remaining messages)")
	return b.String()
}

// Unwrap returns the causes.
func (e *GivenUpError) Unwrap() []error { return e.Causes }

// KilledError says that the process died while a stage had this message, and
// no other was in any stage's code.
type KilledError struct {
	Stage   string
	Message string // "numbers.0:33"
}

func (e *KilledError) Error() string {
	return fmt.Sprintf("the process died while stage %s had message %s", e.Stage, e.Message)
}

// FencedError says that another process owns the stage now. The one that gets
// it has committed nothing since and must not go on.
type FencedError struct {
	Stage       string
	Epoch       uint64 // ours
	OwnerEpoch  uint64 // of the owner
	OwnerCommit uint64
	OwnerPlace  string // its directory and host, "" when the register does not tell
}

func (e *FencedError) Error() string {
	from := ""
	if e.OwnerPlace != "" {
		from = ", which runs from " + e.OwnerPlace
	}
	return fmt.Sprintf("stage %s was taken over by another process%s (its epoch %d, ours %d, its last commit %d): this process commits nothing more",
		e.Stage, from, e.OwnerEpoch, e.Epoch, e.OwnerCommit)
}

// StateTooLargeError says that the state of a stage has grown so much over time
// that a commit does not hold it any more. The stage keeps its last commit and
// all messages after it.
type StateTooLargeError struct {
	Stage   string
	Size    int // of the state, in bytes
	Outputs int // of one call, in the same commit
	Limit   int // for both
}

func (e *StateTooLargeError) Error() string {
	beside := ""
	if e.Outputs > 0 {
		beside = fmt.Sprintf(" beside %d bytes of outputs", e.Outputs)
	}
	return fmt.Sprintf("the state of stage %s has %d bytes%s, and a commit holds %d: it does not fit into one message of the server; "+
		"keep less in it, keep one state per key (engine.KeyBy), or run on a server with a larger max_payload; nothing is lost",
		e.Stage, e.Size, beside, e.Limit)
}

// DeadlineError says that a function of a stage was in one call for longer
// than its Deadline.
type DeadlineError struct {
	Stage    string
	Call     string // "message numbers.0:33", "timer:0", "start" …
	Deadline time.Duration
}

func (e *DeadlineError) Error() string {
	return fmt.Sprintf("stage %s was in %s for longer than its deadline of %v", e.Stage, toldOf(e.Call), e.Deadline)
}
