package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"penstock/engine/internal/inflight"
	"penstock/engine/internal/plan"
	"penstock/engine/observe"
)

// quarantineNote is kept as long as something is in quarantine. Before that it is how the
// next process knows that a death was looked into.
const quarantineNote = "careful"

// quarantineRecord is what the note holds.
type quarantineRecord struct {
	// Death is the opening of the in-flight file that told of the suspects.
	Death    uint64   `json:"death"`
	Suspects suspects `json:"suspects"`
}

// LastCalls reads what the process before was doing.
func (r *Run) LastCalls() (inflight.Last, error) {
	last, err := inflight.Read(r.Dir.Inflight())
	if errors.Is(err, inflight.ErrUnreadable) {
		r.Log.Warn("it is unknown what the previous process was doing", "error", err)
		return inflight.Last{Clean: true}, os.Remove(r.Dir.Inflight())
	}
	return last, err
}

// BeginQuarantine takes the file for this process, once what it said is safe,
// and gives every task its slot. It comes before anything is called.
func (r *Run) BeginQuarantine(last inflight.Last) error {
	r.Quarantine = NewQuarantine(r)
	if err := r.Quarantine.begin(last); err != nil {
		return err
	}
	names := make([]string, len(r.Instances))
	for k, in := range r.Instances {
		names[k] = in.ID.String()
	}
	file, _, err := inflight.Open(r.Dir.Inflight(), names)
	if err != nil {
		return err
	}
	r.Inflight = file
	for _, in := range r.Instances {
		in.Task.Load().Code.slot = file.Slot(in.ID.String())
	}
	return nil
}

// begin finds the suspects. Those of a death are kept before anyone is blamed
// for it: who dies in here must not count it twice.
func (c *quarantine) begin(last inflight.Last) error {
	known, wasQuarantined, err := c.load()
	if err != nil {
		return err
	}
	var culprit *suspect
	late := false
	if last.Clean {
		known.Suspects = nil
	} else if !wasQuarantined || known.Death != last.Opening {
		if wasQuarantined && !last.OtherBoot {
			culprit, late = c.culprit(known.Suspects, last.Calls)
		}
		known.Suspects = c.withLast(known.Suspects, culprit != nil, last)
		if late {
			culprit.Late = known.Suspects.late(*culprit) + 1
			known.Suspects = known.Suspects.add(*culprit)
		}
	}
	if c.suspects = c.open(known.Suspects); len(c.suspects) == 0 {
		close(c.Over)
		if !wasQuarantined {
			return nil
		}
		return c.save(0)
	}
	c.on.Store(true)
	c.moved = time.Now()
	c.run.Log.Warn("the previous process died while messages were being handled; quarantine mode: these messages are tried first, one at a time", "messages", len(c.suspects))
	if err := c.save(last.Opening); err != nil || culprit == nil || late {
		return err
	}
	return c.blame(*culprit)
}

// withLast adds the suspects of the last process. If it was in quarantine and is not
// known to have died of a message, more of them are near.
func (c *quarantine) withLast(known suspects, isKnown bool, last inflight.Last) suspects {
	near := uint64(0)
	if !isKnown {
		near = min(nearGrowth*known.widest(), batchCalls)
	}
	for _, calls := range []map[string]inflight.Call{last.Calls, last.Left} {
		for name, call := range calls {
			if s, found := c.suspectOf(name, call); found {
				s.Near = max(s.Near, near)
				known = known.add(s)
			}
		}
	}
	return known
}

// suspectOf names the last message of a call of the process before, or the one
// before a call that is no message.
func (c *quarantine) suspectOf(name string, call inflight.Call) (s suspect, found bool) {
	for _, in := range c.run.Instances {
		if in.ID.String() != name || call.Count == 0 || call.Kind == inflight.Source {
			continue
		}
		s := suspect{
			Stage:  in.Definition.Name,
			Input:  plan.ReplayStream,
			Offset: call.Offset + call.Count - 1,
			Near:   call.Count - 1 + max(nearCalls, call.Count),
		}
		if call.Kind == inflight.Replay || int32(call.Input) < 0 {
			return s, true
		}
		if int(call.Input) < len(in.Definition.Inputs) {
			s.Input = in.Definition.Inputs[call.Input].Stream.String()
			return s, true
		}
	}
	return suspect{}, false
}

// open leaves out suspects that will not be tried: their effect is committed,
// or their stage has ended.
func (c *quarantine) open(known suspects) (open suspects) {
	for _, s := range known {
		in := c.run.Instance(s.Stage)
		if in == nil || in.Phase.IsEnded() {
			continue
		}
		if i := in.Task.Load().Input(s.Input); i != nil && !i.Committed.Consumed(s.Offset) {
			open = open.add(s)
		}
	}
	return open
}

// culprit is the message that was in the user's code, or had left it a little
// too late to be sure, if it was the only one, was handled with care, and is
// still to be taken.
func (c *quarantine) culprit(known suspects, calls map[string]inflight.Call) (culprit *suspect, late bool) {
	var found suspects
	for name, call := range calls {
		if s, ok := c.suspectOf(name, call); ok && call.Kind != inflight.Hook && call.Kind != inflight.Timer {
			found = append(found, s)
			late = call.Kind == inflight.After
		}
	}
	if len(found) != 1 || known.room(found[0].Stage, found[0].Input, found[0].Offset) > 0 || len(c.open(found)) == 0 {
		return nil, false
	}
	return &found[0], late
}

// blame counts a failed attempt of a message.
func (c *quarantine) blame(guilty suspect) error {
	in := c.run.Instance(guilty.Stage)
	s := in.Task.Load()
	i := s.Input(guilty.Input)
	unit := messageUnit(i.Definition, guilty.Offset)
	in.Observed.Stats.count(func(c *observe.LifeCounts) { c.Killed++ })
	in.Observed.Stats.unsaved.Store(true)
	f, err := s.countMessage(&call{input: i, offset: guilty.Offset, count: 1}, &KilledError{Stage: in.Definition.Name, Message: unit})
	if err != nil {
		return err
	}
	in.sayKilled(f)
	return nil
}

// sayKilled tells no more than is known: a process that is killed from outside
// stops at one of its messages, too. Only at its last attempt nothing else is left
// to be blamed.
func (in *Instance) sayKilled(f *Failure) {
	limit := in.Definition.Options.Attempts
	if f.Count < limit {
		in.Log.Warn("the previous process died while it handled only this message; this counts as a failed attempt of the message",
			"message", f.Unit, "attempt", f.Count, "attempts", limit)
		return
	}
	in.Log.Error("the process died at every attempt of this message, handled alone; the message is not tried again", "message", f.Unit, "attempts", f.Count)
}

func (c *quarantine) load() (known quarantineRecord, found bool, err error) {
	data, found, err := c.run.Notes.Note(quarantineNote)
	if err == nil && found {
		err = json.Unmarshal(data, &known)
	}
	if err != nil {
		return known, false, fmt.Errorf("read what the previous process was doing: %w", err)
	}
	return known, found, nil
}

// save keeps the suspects of a death, or forgets the note when there are none.
func (c *quarantine) save(death uint64) error {
	var data []byte
	if len(c.suspects) > 0 {
		var err error
		if data, err = json.Marshal(quarantineRecord{death, c.suspects}); err != nil {
			return err
		}
	}
	if err := c.run.Notes.PutNote(quarantineNote, data); err != nil {
		return fmt.Errorf("save what the previous process was doing: %w", err)
	}
	return nil
}

// Instance is the one of a stage, or nil.
func (r *Run) Instance(stage string) *Instance { return r.ByStage[r.Plan.Stage(stage)] }
