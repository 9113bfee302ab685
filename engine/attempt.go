package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"penstock/dlq"
	"penstock/engine/supervise"
)

// attempts is the durable record of something that an instance fails at. It is
// in Badger before the next try, so that neither a restart of the stage nor
// one of the process forgets it. Order within an instance makes one record
// enough for its messages; a second one is for calls that are no message: a
// source's step, a timer, a hook, a commit.
type attempts struct {
	Unit   string        `json:"unit"` // "generator.0:33"; "step:12", "timer:0", "commit"
	Count  int           `json:"count"`
	Reason dlq.Reason    `json:"reason"`
	Error  string        `json:"error"`
	Panic  string        `json:"panic,omitempty"`
	Stack  string        `json:"stack,omitempty"`
	Tries  []dlq.Attempt `json:"tries"`
	Final  bool          `json:"final,omitempty"` // no further try, whatever the count
	Drop   bool          `json:"drop,omitempty"`  // without a dead letter: a recovery function said so
}

// Names of the notes that hold the two records.
const (
	messageNote = "attempts"
	callNote    = "call-attempts"
)

// maxTries bounds the tries that are kept with their time and error.
const maxTries = 20

func messageUnit(i *inputDefinition, offset uint64) string {
	return fmt.Sprintf("%s.%d:%d", i.stream, 0, offset)
}

// countMessage counts a failed try of a message, durably.
func (in *session) countMessage(unit string, err error) error {
	in.attempts.count(unit, err)
	return in.saveAttempts(messageNote, &in.attempts)
}

// countCall counts a failed try of a call that is no message, durably.
func (in *session) countCall(unit string, err error) error {
	in.calls.count(unit, err)
	return in.saveAttempts(callNote, &in.calls)
}

func (a *attempts) count(unit string, err error) {
	if a.Unit != unit {
		*a = attempts{Unit: unit}
	}
	a.Count++
	a.Reason, a.Error, a.Panic, a.Stack = dlq.ReasonError, err.Error(), "", ""
	var panicked *supervise.PanicError
	var rejected *rejection
	var tooLarge *TooLargeError
	var late *DeadlineError
	switch {
	case errors.As(err, &panicked):
		a.Reason, a.Panic, a.Stack = dlq.ReasonPanic, fmt.Sprint(panicked.Value), string(panicked.Stack)
	case errors.As(err, &rejected):
		a.Reason, a.Error, a.Final = dlq.ReasonRejected, rejected.err.Error(), true
	case errors.As(err, &tooLarge):
		a.Reason, a.Final = dlq.ReasonTooLarge, true
	case errors.As(err, &late):
		a.Reason = dlq.ReasonDeadline
	}
	if len(a.Tries) < maxTries {
		a.Tries = append(a.Tries, dlq.Attempt{Time: time.Now(), Error: a.Error})
	}
}

// nextTry is the number of the next try of a call that is no message.
func (in *session) nextTry(unit string) int {
	if in.calls.Unit == unit {
		return in.calls.Count + 1
	}
	return 1
}

// succeeded forgets what is recorded of a call that is no message.
func (in *session) succeeded(unit string) {
	if in.calls.Unit != unit || in.hold.abandoned() {
		return
	}
	in.calls = attempts{}
	if err := in.keepNote(callNote, nil); err != nil {
		in.log.Warn("the attempts of a call could not be forgotten", "call", unit, "error", err)
	}
}

// sound says that nothing that failed is still to be mended.
func (in *session) sound() bool { return in.failing == nil && in.calls.Unit == "" }

func (in *session) saveAttempts(note string, a *attempts) error {
	data, err := json.Marshal(a)
	if err == nil {
		err = in.keepNote(note, data)
	}
	if err != nil {
		return Fatal(fmt.Errorf("stage %s: keep the attempts of %s: %w", in.definition.name, a.Unit, err))
	}
	return nil
}

// keepNote waits for the disk unless commits do not either: where a power cut
// may take those it may take attempts as well, and they are made again.
func (in *session) keepNote(name string, data []byte) error {
	if config := in.run.config; config.Sync > 0 && config.NATS.URL == "" {
		return in.committed.store.PutNoteUnsynced(name, data)
	}
	return in.committed.store.PutNote(name, data)
}

func (in *session) loadAttempts() error {
	for note, a := range map[string]*attempts{messageNote: &in.attempts, callNote: &in.calls} {
		data, found, err := in.committed.store.Note(note)
		if err == nil && found {
			err = json.Unmarshal(data, a)
		}
		if err != nil {
			return fmt.Errorf("read the attempts: %w", err)
		}
	}
	return nil
}

// findFailing looks whether the recorded message is still to be taken.
func (in *session) findFailing() {
	in.failing = nil
	for _, i := range in.inputs {
		prefix := strings.TrimSuffix(messageUnit(i.definition, 0), "0")
		offset, found := strings.CutPrefix(in.attempts.Unit, prefix)
		if at, err := strconv.ParseUint(offset, 10, 64); found && err == nil && at >= i.committed.Offset {
			in.failing, in.failingAt = i, at
		}
	}
}

// usedUp says whether the failing message gets no further try.
func (in *session) usedUp() bool {
	return in.attempts.Final || in.attempts.Count >= in.definition.options.attempts
}
