package dlq

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Reason says why a message became a dead letter. Of several attempts it is that of the last one; Letter.Attempts tells
// of the others.
type Reason string

const (
	ReasonPanic    Reason = "panic"     // the stage panicked
	ReasonKilled   Reason = "killed"    // the process died while the stage had only this message
	ReasonError    Reason = "error"     // the stage failed
	ReasonDeadline Reason = "deadline"  // the stage took longer than it may
	ReasonRejected Reason = "rejected"  // the stage said that it can never succeed
	ReasonTooLarge Reason = "too-large" // what the stage made of it does not fit into a frame
	ReasonHeld     Reason = "held"      // its input ended while the message was still held

	// ReasonUnreadable is that of a message which is no letter: see Letter.Unreadable.
	ReasonUnreadable Reason = "unreadable"
)

// Attempt is one failed try.
type Attempt struct {
	Time  time.Time `json:"time"`
	Error string    `json:"error"`
}

// Letter is one message that an instance gave up on, or a value that a source could not send. Its parts are embedded:
// each field is read as l.Stage or l.Error.
type Letter struct {
	Origin  // names it for good
	Content // what the stage got
	Cause   // why the stage gave up
	Rounds  // how often it was replayed
	Write   // the stored form

	// Unreadable: this is a message in the stream that is no letter, or not one that this build can read; Error says why.
	// Known of it are Sequence, At, the payload as Value, and, if its subject has one, the Stage. It comes only where
	// Filter.Unreadable asks for it, and can be discarded, not replayed. Put refuses it.
	Unreadable bool
}

// Origin says which message a letter is of. Two letters that agree in it are the same letter.
//
// Of a value that a source could not send, Input is the stream that it was for, the source's own, Offset the number of
// the source's call, and InputInstance that of the value in it. Of the source's hooks Start and End, whose values are
// counted from 1<<28 and 1<<29, Offset is the number of the commit before.
type Origin struct {
	Pipeline string `json:"pipeline"` // "" in Put: that of the queue
	Stage    string `json:"stage"`    // which gave up
	Instance int    `json:"instance"` // of the stage

	Input         string `json:"input"`         // stream it came from: "stage" or "stage/branch"
	InputInstance int    `json:"inputInstance"` // which wrote it
	Offset        uint64 `json:"offset"`        // in that stream
}

// Content is the message of a letter.
type Content struct {
	Key   string
	Value []byte // encoded, as the stage got it
	// ValueBytes is the length of the value; set by reading, ignored by Put.
	ValueBytes int
	// ValueOmitted: the letter was read without its value (see Filter.WithoutValues). Put refuses it.
	ValueOmitted bool
	// Edited: the value is not the one that came from the input, a replay replaced it.
	Edited bool
	// Original is what the message had before the first replay that replaced its value: ReplayOptions.Original brings it
	// back. nil if it was not edited, or was read without its value.
	Original []byte

	Codec string    // name of the value's codec, at most 256 bytes
	Time  time.Time // the message's
}

// Cause is why a stage gave up on a message, in the newest round.
type Cause struct {
	Reason   Reason
	Error    string
	Panic    string // printed panic value, or ""
	Stack    string
	Chain    []string // the errors within the error, outermost first: see ErrorChain
	Attempts []Attempt
	// AttemptsOmitted is how many attempts are missing in Attempts, behind its first one. Put counts them when it
	// shortens the list.
	AttemptsOmitted int
}

// Rounds tell of the replays of a letter.
type Rounds struct {
	Round   int     // 1 the first time, and one more each time a replay failed again; 0 in Put: 1
	History []Round // the earlier rounds, oldest first; the last 10 of them
	// To is the stage that gave up in this round, when a replay had sent the message to another one than Stage.
	To string
}

// Write is one write of a letter.
type Write struct {
	Version  string    // of the binary that wrote it
	At       time.Time // when it was written; zero in Put: now
	Sequence uint64    // in the stream; set by reading, ignored by Put
	Queue    string    // which it was read from; set by reading, ignored by Put. With Sequence it names one write of the letter
}

// ID names the letter within its pipeline: "worker.0:generator.0:33", with a branch "worker.0:parse/bad.0:33". It never
// changes, and [Queue.Get] takes it. A message that is no letter is named by its sequence: "unreadable:17".
func (l Letter) ID() string {
	if l.Unreadable {
		return fmt.Sprintf("%s%d", unreadablePrefix, l.Sequence)
	}
	return l.origin().String()
}

func (l Letter) origin() origin {
	return origin{l.Stage, l.Instance, l.Input, l.InputInstance, l.Offset}
}

var validReason = regexp.MustCompile(`^[a-z][a-z-]{0,31}$`)

const maxCodec = 256

// check finds what cannot be written: those parts that are not free text must fit into a subject or a header as they
// are.
func (l Letter) check() error {
	if l.Unreadable {
		return fmt.Errorf("%w letter: it is a message that cannot be read", ErrInvalid)
	}
	if err := checkName("pipeline", l.Pipeline); err != nil {
		return err
	}
	if err := l.origin().check(); err != nil {
		return err
	}
	if !validReason.MatchString(string(l.Reason)) {
		return fmt.Errorf("%w reason %q: use one of the Reason constants", ErrInvalid, l.Reason)
	}
	if len(l.Codec) > maxCodec {
		return fmt.Errorf("%w codec name of %d bytes: use at most %d", ErrInvalid, len(l.Codec), maxCodec)
	}
	if l.ValueOmitted {
		return fmt.Errorf("%w letter: it was read without its value: read it again with Get", ErrInvalid)
	}
	if l.Round < 0 {
		return fmt.Errorf("%w round %d: they count from 1", ErrInvalid, l.Round)
	}
	if l.To != "" {
		if err := checkName("stage", l.To); err != nil {
			return err
		}
	}
	for _, r := range l.History {
		if !validReason.MatchString(string(r.Reason)) || r.Attempts < 0 || r.To != "" && !validName.MatchString(r.To) {
			return fmt.Errorf("%w earlier round: reason %q, %d attempts, stage %q", ErrInvalid, r.Reason, r.Attempts, r.To)
		}
	}
	if l.AttemptsOmitted < 0 {
		return fmt.Errorf("%w number of omitted attempts %d", ErrInvalid, l.AttemptsOmitted)
	}
	return nil
}

// CanReplay says whether a stage takes the message again. None takes what a source could not send, or what is no
// letter.
func (l Letter) CanReplay() bool { return !l.Unreadable && l.source() == "" }

// source is the one that could not send the value, "" if a stage gave up on a message.
func (l Letter) source() string {
	if from, _, _ := strings.Cut(l.Input, "/"); from == l.Stage {
		return from
	}
	return ""
}
