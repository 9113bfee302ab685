package task

import (
	"errors"
	"os"

	"penstock/engine/internal/inflight"
	"penstock/engine/internal/quarantine"
	"penstock/engine/observe"
)

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
	r.Quarantine = quarantine.New(quarantine.Config{Log: r.Log, Notes: r.Notes, Tasks: suspected{r}, PokeAll: r.PokeAll, Batch: batchCalls})
	if err := r.Quarantine.Begin(last); err != nil {
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

// suspected answers for the stages whose messages may have killed the process.
type suspected struct{ run *Run }

var _ quarantine.Tasks = suspected{}

func (s suspected) Inputs(instance string) (stage string, streams []string, found bool) {
	for _, in := range s.run.Instances {
		if in.ID.String() == instance {
			for k := range in.Edges {
				streams = append(streams, in.Edges[k].String())
			}
			return in.StageName(), streams, true
		}
	}
	return "", nil, false
}

func (s suspected) IsAhead(m quarantine.Message) bool {
	in := s.run.Named(m.Stage)
	if in == nil || in.Phase.IsEnded() {
		return false
	}
	i := in.Task.Load().Input(m.Input)
	return i != nil && !i.Committed.Consumed(m.Offset)
}

// Blame counts a failed attempt of a message.
func (s suspected) Blame(m quarantine.Message) error {
	in := s.run.Named(m.Stage)
	t := in.Task.Load()
	i := t.Input(m.Input)
	unit := i.Message(m.Offset)
	in.Observed.Stats.count(func(c *observe.LifeCounts) { c.Killed++ })
	in.Observed.Stats.unsaved.Store(true)
	f, err := t.countMessage(&call{input: i, offset: m.Offset, count: 1}, &KilledError{Stage: in.Definition.Name, Message: unit})
	if err != nil {
		return err
	}
	in.sayKilled(f)
	return nil
}

// sayKilled tells no more than is known: a process that is killed from outside
// stops at one of its messages, too. The attempts before the last one may have been
// deaths or failures of its own.
func (in *Instance) sayKilled(f *Failure) {
	limit := in.Definition.Options.Attempts
	if f.Count < limit {
		in.Log.Warn("the previous process died while it handled only this message; this counts as a failed attempt of the message",
			"message", f.Unit, "attempt", f.Count, "attempts", limit)
		return
	}
	in.Log.Error("the process died at the last attempt of this message, handled alone; the message is not tried again", "message", f.Unit, "attempts", f.Count)
}

// message names one of a stream to the quarantine.
func (t *Task) message(stream string, offset uint64) quarantine.Message {
	return quarantine.Message{Stage: t.StageName(), Input: stream, Offset: offset}
}
