package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"penstock/dlq"
	"penstock/engine/supervise"
)

// attempts is the durable record of the one thing an instance fails at: a
// message, or a call that is none (a timer, a source's step). It is in Badger
// before the next try, so that neither a restart of the stage nor one of the
// process forgets it. Order within an instance makes one record enough.
type attempts struct {
	Unit   string        `json:"unit"` // "generator.0:33", "step:12", "timer:0"
	Count  int           `json:"count"`
	Reason dlq.Reason    `json:"reason"`
	Error  string        `json:"error"`
	Panic  string        `json:"panic,omitempty"`
	Stack  string        `json:"stack,omitempty"`
	Tries  []dlq.Attempt `json:"tries"`
	Final  bool          `json:"final,omitempty"` // no further try, whatever the count
}

const attemptNote = "attempts"

// maxTries bounds the tries that are kept with their time and error.
const maxTries = 20

func messageUnit(i *input, offset uint64) string {
	return fmt.Sprintf("%s.%d:%d", i.definition.stream, 0, offset)
}

// failed counts a failed try of a unit, durably.
func (in *instance) countAttempt(unit string, err error) error {
	if in.attempts.Unit != unit {
		in.attempts = attempts{Unit: unit}
	}
	a := &in.attempts
	a.Count++
	a.Reason, a.Error, a.Panic, a.Stack = dlq.ReasonError, err.Error(), "", ""
	var panicked *supervise.PanicError
	var rejected *rejection
	var tooLarge *TooLargeError
	switch {
	case errors.As(err, &panicked):
		a.Reason, a.Panic, a.Stack = dlq.ReasonPanic, fmt.Sprint(panicked.Value), string(panicked.Stack)
	case errors.As(err, &rejected):
		a.Reason, a.Error, a.Final = dlq.ReasonRejected, rejected.err.Error(), true
	case errors.As(err, &tooLarge):
		a.Reason, a.Final = dlq.ReasonTooLarge, true
	}
	if len(a.Tries) < maxTries {
		a.Tries = append(a.Tries, dlq.Attempt{Time: time.Now(), Error: a.Error})
	}
	return in.saveAttempts()
}

func (in *instance) saveAttempts() error {
	data, err := json.Marshal(in.attempts)
	if err == nil {
		err = in.committed.store.PutNote(attemptNote, data)
	}
	if err != nil {
		return Fatal(fmt.Errorf("stage %s: keep the attempts of %s: %w", in.definition.name, in.attempts.Unit, err))
	}
	return nil
}

func (in *instance) loadAttempts() error {
	data, found, err := in.committed.store.Note(attemptNote)
	if err == nil && found {
		err = json.Unmarshal(data, &in.attempts)
	}
	if err != nil {
		return fmt.Errorf("read the attempts: %w", err)
	}
	return nil
}

// usedUp says whether the recorded unit gets no further try.
func (in *instance) usedUp() bool {
	return in.attempts.Final || in.attempts.Count >= in.definition.options.attempts
}
