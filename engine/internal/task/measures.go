package task

import (
	"time"

	"penstock/engine/measure"
	"penstock/engine/observe"
)

// measures are the histograms of an instance. Safe for concurrent use.
type measures struct {
	calls, commits, batches measure.Histogram
	ages                    []measure.Histogram // of replays, and then by edge
}

// aged are messages of a batch, and the time of one of them.
type aged struct {
	input int   // its index; replays have -1
	time  int64 // Unix nanoseconds
	count uint32
}

// Measures are those of every instance.
func (r *Run) Measures() []observe.StageMeasures {
	list := make([]observe.StageMeasures, len(r.Instances))
	for k, in := range r.Instances {
		list[k] = observe.StageMeasures{
			Stage:   in.StageName(),
			Calls:   in.Observed.measures.calls.Snapshot(),
			Commits: in.Observed.measures.commits.Snapshot(),
			Batches: in.Observed.measures.batches.Snapshot(),
		}
		list[k].Ages, list[k].Inputs = in.agesByInput()
	}
	return list
}

// agesByInput returns the ages of all that was taken, and those of each input.
func (in *Instance) agesByInput() (all measure.Snapshot, list []observe.InputMeasures) {
	all, list = in.Observed.measures.ages[0].Snapshot(), make([]observe.InputMeasures, len(in.Edges))
	for k := range in.Edges {
		list[k] = observe.InputMeasures{Stream: in.Edges[k].String(), Ages: in.Observed.measures.ages[1+k].Snapshot()}
		all = all.Plus(list[k].Ages)
	}
	return all, list
}

// To look at the clock costs as much as a quick call: of these so many are
// measured together as take lapTime, and not more than lapMost. When such a lap
// takes as long as stallTime, and much longer than the one before, then one of
// its calls did, as far as can be known.
const (
	lapTime   = 100 * time.Microsecond
	lapMost   = 32 * callsPerLook
	stallTime = time.Millisecond
	muchMore  = 8
)

// pace is how fast a task calls, and what it measures of that.
type pace struct {
	lapped  time.Time // when calls were measured last
	calls   int       // how many of the round had been called then
	perCall float64   // nanoseconds, in the last lap
	perLap  int       // calls that are measured together, if nothing else needs the clock before
	perLook int       // calls between two looks whether the batch is to go out
	times   *measure.Recorder
	ages    []*measure.Recorder // of replays, and then by edge
}

func newPace(m *measures) pace {
	p := pace{perLook: 1, times: measure.NewRecorder(&m.calls)}
	for k := range m.ages {
		p.ages = append(p.ages, measure.NewRecorder(&m.ages[k]))
	}
	return p
}

// isLap says that enough calls were made since the last lap to be measured.
func (t *Task) isLap(calls int) bool { return calls-t.pace.calls >= t.pace.perLap }

// lap measures the calls since the last lap; 0 calls begin anew.
func (t *Task) lap(calls int, now time.Time) {
	if n := calls - t.pace.calls; n > 0 {
		all := float64(now.Sub(t.pace.lapped)) // nanoseconds
		each, usual := all/float64(n), t.pace.perCall
		if n > 1 && all >= float64(stallTime) && each > muchMore*usual {
			t.pace.times.Observe(usual*1e-9, uint32(n-1))
			t.pace.times.Observe((all-usual*float64(n-1))*1e-9, 1)
		} else {
			t.pace.times.Observe(each*1e-9, uint32(n))
		}
		t.pace.perCall, t.pace.perLap = each, int(min(float64(lapTime)/max(each, 1), lapMost))
	}
	t.pace.lapped, t.pace.calls = now, calls
	t.Batch.age()
}

// took counts messages of an input, of which the last has the call's time.
func (b *batch) took(input, messages int) {
	b.taken += uint64(messages)
	a := &b.aging[1+input]
	a.input, a.time, a.count = input, b.callTime, a.count+uint32(messages)
}

// age notes the time of what was taken of each input since the last call of it, which is that of the last message.
func (b *batch) age() {
	for k := range b.aging {
		a := &b.aging[k]
		if a.count > 0 && a.time != 0 {
			b.ages = append(b.ages, *a)
		}
		a.count = 0
	}
}

// measure adds a commit that is on disk.
func (t *Task) measure(x *txn) {
	now := t.Run.Clock.Now()
	t.Observed.measures.commits.Observe(now.Sub(x.sent).Seconds(), 1)
	t.Observed.measures.batches.Observe(float64(x.taken), 1)
	for _, a := range x.ages {
		t.pace.ages[1+a.input].Observe(float64(now.UnixNano()-a.time)*1e-9, a.count)
	}
	for _, of := range t.pace.ages {
		of.Flush()
	}
	if t.Batch.ages == nil {
		t.Batch.ages = x.ages[:0]
	}
}

// noteHeads lets others see what the inputs wait with.
func (t *Task) noteHeads() {
	for k, i := range t.Inbox.Inputs[:len(t.Waiting.Heads)] {
		head := &t.Waiting.Heads[k]
		switch {
		case i.hasHead:
			head.Time.Store(i.head.Message.Time)
		case i.frame == len(i.queue):
			head.Time.Store(0)
		case head.Time.Load() == 0: // it waits for room, behind those that were taken
			head.Time.Store(t.Looked.UnixNano())
		}
		t.noteHeld(k, i)
	}
}
