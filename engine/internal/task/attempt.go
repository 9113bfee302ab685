package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/answer"
	"penstock/engine/observe"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// attempts is the durable record of something that an instance fails at: a
// message (see failure), or a call that is none: a source's step, a timer, a
// hook, a commit. It is in Badger before the next try, so that neither a restart
// of the stage nor one of the process forgets it.
type attempts struct {
	Unit   string        `json:"unit"` // "generator.0:33"; "step:12", "timer:0", "commit"
	Count  int           `json:"count"`
	Key    []byte        `json:"key,omitempty"` // that a message was handled under, in a keyed stage
	Reason dlq.Reason    `json:"reason"`
	Error  string        `json:"error"`
	Panic  string        `json:"panic,omitempty"`
	Stack  string        `json:"stack,omitempty"`
	Chain  []string      `json:"chain,omitempty"` // see dlq.ErrorChain
	Tries  []dlq.Attempt `json:"tries"`
	Final  bool          `json:"final,omitempty"` // no further try, whatever the count
	Drop   bool          `json:"drop,omitempty"`  // without a dead letter: a recovery function said so
}

// cause is that of a letter.
func (a *attempts) cause() dlq.Cause {
	return dlq.Cause{
		Reason: a.Reason, Error: a.Error, Panic: a.Panic, Stack: a.Stack, Chain: a.Chain,
		Attempts: a.Tries, AttemptsOmitted: max(a.Count-len(a.Tries), 0),
	}
}

// callNote holds the attempts of the call that is no message and failed last.
const callNote = "call-attempts"

// maxTries bounds the tries that are kept with their time and error: the first
// and the last ones.
const maxTries = 20

// countCall counts a failed try of a call that is no message, durably.
func (t *Task) countCall(unit string, err error) error {
	t.Observed.Stats.count(func(c *observe.LifeCounts) { c.FailedAttempts++ })
	t.Failures.ofUnit.count(unit, err, t.Run.Clock.Now(), t.Run.Settings.Words)
	return t.saveCalls()
}

// count notes a failed try, with its error in the words of the program.
func (a *attempts) count(unit string, err error, now time.Time, words remedy.Words) {
	if a.Unit != unit {
		*a = attempts{Unit: unit}
	}
	a.Count++
	a.Reason, a.Error, a.Panic, a.Stack, a.Chain = dlq.ReasonError, remedy.Explain(err, words), "", "", dlq.ErrorChain(err)
	var panicked *supervise.PanicError
	var rejected *answer.Rejection
	var tooLarge *TooLargeError
	var late *DeadlineError
	var killed *KilledError
	switch {
	case errors.As(err, &panicked):
		a.Reason, a.Panic, a.Stack = dlq.ReasonPanic, fmt.Sprint(panicked.Value), string(panicked.Stack)
	case errors.As(err, &rejected):
		a.Reason, a.Error, a.Final = dlq.ReasonRejected, remedy.Explain(rejected.Err, words), true
	case errors.As(err, &tooLarge):
		a.Reason, a.Final = dlq.ReasonTooLarge, true
	case errors.As(err, &late):
		a.Reason = dlq.ReasonDeadline
	case errors.As(err, &killed):
		a.Reason = dlq.ReasonKilled
	}
	for k, text := range a.Chain {
		a.Chain[k] = remedy.Within(text, err, words)
	}
	// The record must fit into a note whatever is in the user's texts.
	a.Error, a.Panic, a.Stack = dlq.Cut(a.Error, dlq.MaxText), dlq.Cut(a.Panic, dlq.MaxText), dlq.Cut(a.Stack, dlq.MaxStack)
	if len(a.Tries) == maxTries {
		a.Tries = slices.Delete(a.Tries, 1, 2)
	}
	a.Tries = append(a.Tries, dlq.Attempt{Time: now, Error: dlq.Cut(a.Error, dlq.MaxAttemptText)})
}

// nextTry is the number of the next try of a call that is no message.
func (t *Task) nextTry(unit string) int {
	if t.Failures.ofUnit.Unit == unit {
		return t.Failures.ofUnit.Count + 1
	}
	return 1
}

// succeeded forgets what is recorded of a call that is no message.
func (t *Task) succeeded(unit string) {
	if t.Failures.ofUnit.Unit != unit || t.Code.Custody.Abandoned() {
		return
	}
	t.Failures.ofUnit = attempts{}
	if err := t.keepNote(callNote, nil); err != nil {
		t.Log.Warn("cannot delete the recorded attempts of a call", "call", unit, "error", err)
	}
}

// sound says that nothing that failed is still to be mended.
func (t *Task) sound() bool {
	return len(t.Failures.Records) == 0 && t.Failures.ofUnit.Unit == ""
}

func (t *Task) saveCalls() error {
	data, err := json.Marshal(&t.Failures.ofUnit)
	if err == nil {
		err = t.keepNote(callNote, data)
	}
	if err != nil {
		return answer.Fatal(fmt.Errorf("stage %s: keep the attempts of %s: %w", t.Definition.Name, t.Failures.ofUnit.Unit, err))
	}
	return nil
}

// keepNote waits for the disk unless commits do not either: where a power cut
// may take those it may take attempts as well, and they are made again.
func (t *Task) keepNote(name string, data []byte) error {
	if t.Run.Settings.IsLazy {
		return t.jot(name, data)
	}
	return t.Run.Space.Persist(func() error { return t.Committed.Store.PutNote(name, data) })
}

func (t *Task) loadAttempts() error {
	data, found, err := t.Committed.Store.Note(callNote)
	if err == nil && found {
		err = json.Unmarshal(data, &t.Failures.ofUnit)
	}
	if err != nil {
		return fmt.Errorf("read the attempts: %w", err)
	}
	return t.loadFailures()
}
