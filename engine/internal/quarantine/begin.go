package quarantine

import (
	"encoding/json"
	"fmt"
	"time"

	"penstock/engine/internal/inflight"
	"penstock/engine/internal/plan"
)

// note is kept as long as something is in quarantine. Before that it is how the
// next process knows that a death was looked into.
const note = "careful"

// record is what the note holds.
type record struct {
	// Death is the opening of the in-flight file that told of the suspects.
	Death    uint64   `json:"death"`
	Suspects suspects `json:"suspects"`
}

// Begin finds the suspects, and switches the mode on if there are any. Those of a death are kept before anyone is
// blamed for it: who dies in here must not count it twice.
func (m *Mode) Begin(last inflight.Last) error {
	known, wasQuarantined, err := m.load()
	if err != nil {
		return err
	}
	var culprit *suspect
	late := false
	if last.Clean {
		known.Suspects = nil
	} else if !wasQuarantined || known.Death != last.Opening {
		if wasQuarantined && !last.OtherBoot {
			culprit, late = m.culprit(known.Suspects, last.Calls)
		}
		known.Suspects = m.withLast(known.Suspects, culprit != nil, last)
		if late {
			culprit.Late = known.Suspects.late(culprit.Message) + 1
			known.Suspects = known.Suspects.add(*culprit)
		}
	}
	if m.suspects = m.open(known.Suspects); len(m.suspects) == 0 {
		close(m.over)
		if !wasQuarantined {
			return nil
		}
		return m.save(0)
	}
	m.on.Store(true)
	m.moved = time.Now()
	m.config.Log.Warn("the previous process died while messages were being handled; quarantine mode: these messages are tried first, one at a time", "messages", len(m.suspects))
	if err := m.save(last.Opening); err != nil || culprit == nil || late {
		return err
	}
	return m.config.Tasks.Blame(culprit.Message)
}

// withLast adds the suspects of the last process. If it was in quarantine and is not
// known to have died of a message, more of them are near.
func (m *Mode) withLast(known suspects, isKnown bool, last inflight.Last) suspects {
	near := uint64(0)
	if !isKnown {
		near = min(nearGrowth*known.widest(), m.config.Batch)
	}
	for _, calls := range []map[string]inflight.Call{last.Calls, last.Left} {
		for name, call := range calls {
			if s, found := m.suspectOf(name, call); found {
				s.Near = max(s.Near, near)
				known = known.add(s)
			}
		}
	}
	return known
}

// suspectOf names the last message of a call of the process before, or the one
// before a call that is no message.
func (m *Mode) suspectOf(name string, call inflight.Call) (s suspect, found bool) {
	stage, streams, known := m.config.Tasks.Inputs(name)
	if !known || call.Count == 0 || call.Kind == inflight.Source {
		return suspect{}, false
	}
	s = suspect{
		Message: Message{stage, plan.ReplayStream, call.Offset + call.Count - 1},
		Near:    call.Count - 1 + max(nearCalls, call.Count),
	}
	switch {
	case call.Kind == inflight.Replay || int32(call.Input) < 0:
		return s, true
	case int(call.Input) < len(streams):
		s.Input = streams[call.Input]
		return s, true
	}
	return suspect{}, false
}

// open leaves out suspects that will not be tried: their effect is committed,
// or their stage has ended.
func (m *Mode) open(known suspects) (open suspects) {
	for _, s := range known {
		if m.config.Tasks.IsAhead(s.Message) {
			open = open.add(s)
		}
	}
	return open
}

// culprit is the message that was in the user's code, or had left it a little
// too late to be sure, if it was the only one, was handled with care, and is
// still to be taken.
func (m *Mode) culprit(known suspects, calls map[string]inflight.Call) (culprit *suspect, late bool) {
	var found suspects
	for name, call := range calls {
		if s, ok := m.suspectOf(name, call); ok && call.Kind != inflight.Hook && call.Kind != inflight.Timer {
			found = append(found, s)
			late = call.Kind == inflight.After
		}
	}
	if len(found) != 1 || known.distance(found[0].Message) > 0 || len(m.open(found)) == 0 {
		return nil, false
	}
	return &found[0], late
}

func (m *Mode) load() (known record, found bool, err error) {
	data, found, err := m.config.Notes.Note(note)
	if err == nil && found {
		err = json.Unmarshal(data, &known)
	}
	if err != nil {
		return known, false, fmt.Errorf("read what the previous process was doing: %w", err)
	}
	return known, found, nil
}

// save keeps the suspects of a death, or forgets the note when there are none.
func (m *Mode) save(death uint64) error {
	var data []byte
	if len(m.suspects) > 0 {
		var err error
		if data, err = json.Marshal(record{death, m.suspects}); err != nil {
			return err
		}
	}
	if err := m.config.Notes.PutNote(note, data); err != nil {
		return fmt.Errorf("save what the previous process was doing: %w", err)
	}
	return nil
}
