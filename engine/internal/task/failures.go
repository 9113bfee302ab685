package task

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"penstock/engine/internal/answer"
	"penstock/engine/observe"
)

// Failure is the durable record of a message that failed and is not committed.
type Failure struct {
	Place
	attempts
	passed bool // it has its letter, or gets it, and is not tried again
	slot   int

	// What the next process does not know.
	told atomic.Bool // that its letter is kept
	here bool        // only its call was undone, and the stage goes on
	Due  time.Time   // of the next attempt
}

// Place is a message of one of the inputs.
type Place struct {
	Stream string
	offset uint64
}

// place is that of the head.
func (i *Input) place() Place { return Place{i.String(), i.head.Offset} }

// failures are those of a task. Each has a note in a slot of its own, and so
// their number is bounded: when no slot is free a commit comes first, which
// makes free what it covers.
type failures struct {
	Records  map[Place]*Failure
	used     [failureSlots]bool
	ofUnit   attempts // of a call that is no message
	checking int      // calls whose state is encoded right after them
}

const failureSlots = 256

func failureNote(slot int) string { return fmt.Sprintf("failure-%d", slot) }

// failureRecord is what a note holds. Without attempts it belongs to no message.
type failureRecord struct {
	Stream   string   `json:"stream"`
	Offset   uint64   `json:"offset"`
	Passed   bool     `json:"passed,omitempty"`
	Attempts attempts `json:"attempts"`
}

// free is how many more messages may fail before a commit.
func (s *failures) free() int { return failureSlots - len(s.Records) }

// of returns the record of a message, or nil.
func (s *failures) of(at Place) *Failure {
	if len(s.Records) == 0 {
		return nil
	}
	return s.Records[at]
}

// obtain returns the record of a message, a new one if there is none.
func (s *failures) obtain(at Place) (*Failure, error) {
	if f := s.of(at); f != nil {
		return f, nil
	}
	for slot, used := range s.used {
		if !used {
			return s.put(&Failure{Place: at, slot: slot}), nil
		}
	}
	return nil, fmt.Errorf("%d messages have failed and none is committed", failureSlots)
}

func (s *failures) put(f *Failure) *Failure {
	if s.Records == nil {
		s.Records = map[Place]*Failure{}
	}
	s.Records[f.Place], s.used[f.slot] = f, true
	return f
}

func (s *failures) remove(f *Failure) {
	delete(s.Records, f.Place)
	s.used[f.slot] = false
}

// restarted is told that everything that is not committed is undone.
func (s *failures) restarted() {
	for _, f := range s.Records {
		f.here = false
	}
}

// failureOf returns the record of an input's head, or nil.
func (t *Task) failureOf(i *Input) *Failure {
	if len(t.Failures.Records) == 0 {
		return nil
	}
	return t.Failures.Records[i.place()]
}

// countMessage counts a failed try of a message, durably.
func (t *Task) countMessage(c *call, err error) (*Failure, error) {
	f, full := t.countTry(c, err)
	if full != nil {
		return nil, full
	}
	return f, t.saveFailure(f, t.keepNote)
}

func (t *Task) countTry(c *call, err error) (*Failure, error) {
	unit := c.input.Message(c.offset)
	f, full := t.Failures.obtain(c.place())
	if full != nil {
		return nil, answer.Fatal(fmt.Errorf("stage %s: keep the attempts of %s: %w", t.Definition.Name, unit, full))
	}
	t.Observed.Stats.count(func(c *observe.LifeCounts) { c.FailedAttempts++ })
	f.count(unit, err, t.Run.Clock.Now(), t.Run.Settings.Words)
	if c.Key != "" {
		f.Key = []byte(c.Key) // for the letter: to divert a message nothing of the user's is called
	}
	return f, nil
}

// noteWriter is how a note is kept: keepNote or jot.
type noteWriter func(name string, data []byte) error

func (t *Task) saveFailure(f *Failure, write noteWriter) error {
	data, err := json.Marshal(failureRecord{f.Stream, f.offset, f.passed, f.attempts})
	if err == nil {
		err = write(failureNote(f.slot), data)
	}
	if err != nil {
		return answer.Fatal(fmt.Errorf("stage %s: keep the attempts of %s: %w", t.Definition.Name, f.Unit, err))
	}
	return nil
}

// notePassed notes that a message is diverted, before its letter is on its way:
// after a death of the process it must not be tried again.
func (t *Task) notePassed(f *Failure) error {
	if f.passed {
		return nil
	}
	f.passed = true
	return t.saveFailure(f, t.jot)
}

// forgetFailure makes a message as good as new.
func (t *Task) forgetFailure(f *Failure) error {
	t.Failures.remove(f)
	err := t.Run.Space.Persist(func() error { return t.Committed.Store.PutNote(failureNote(f.slot), []byte("{}")) })
	if err != nil {
		return answer.Fatal(fmt.Errorf("stage %s: forget the attempts of %s: %w", t.Definition.Name, f.Unit, err))
	}
	return nil
}

// forgetCommitted leaves out the failures of messages that are consumed. Their
// notes stay until others take their slots.
func (t *Task) forgetCommitted() {
	for at, f := range t.Failures.Records {
		if i := t.Input(at.Stream); i == nil || i.Committed.Consumed(at.offset) {
			t.Failures.remove(f)
		}
	}
}

// loadFailures reads what the task before knew, up to the first slot that
// was never used.
func (t *Task) loadFailures() error {
	for slot := range failureSlots {
		data, found, err := t.Committed.Store.Note(failureNote(slot))
		if err == nil && !found {
			break
		}
		var r failureRecord
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil {
			return fmt.Errorf("read the messages that failed: %w", err)
		}
		if r.Attempts.Unit == "" {
			continue
		}
		f := t.Failures.put(&Failure{Place: Place{r.Stream, r.Offset}, attempts: r.Attempts, passed: r.Passed, slot: slot})
		t.setDue(f)
	}
	t.forgetCommitted()
	return nil
}

// setDue finds when a message is to be tried next.
func (t *Task) setDue(f *Failure) {
	f.Due = time.Time{}
	backoff := t.Definition.Options.AttemptDelay
	if backoff == nil || len(f.Tries) == 0 || t.usedUp(f) {
		return
	}
	if delay := backoff.Delay(f.Count); delay > 0 {
		now := t.Run.Clock.Now()
		f.Due = now.Add(min(delay, max(0, f.Tries[len(f.Tries)-1].Time.Add(delay).Sub(now))))
	}
}

// usedUp says whether a message that failed gets no further try.
func (t *Task) usedUp(f *Failure) bool {
	return f.Final || f.Count >= t.Definition.Options.Attempts
}
