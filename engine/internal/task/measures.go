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

// Measures are those of every stage.
func (r *Run) Measures() (list []observe.StageMeasures) {
	for instances := range r.ByStage() {
		stage := instances[0].Definition
		all := observe.StageMeasures{Stage: stage.Name, Inputs: make([]observe.InputMeasures, len(stage.Inputs))}
		for k, i := range stage.Inputs {
			all.Inputs[k].Stream = i.Stream.String()
		}
		for _, in := range instances {
			in.addMeasures(&all)
		}
		list = append(list, all)
	}
	return list
}

func (in *Instance) addMeasures(all *observe.StageMeasures) {
	m := &in.Observed.measures
	all.Calls = all.Calls.Plus(m.calls.Snapshot())
	all.Commits = all.Commits.Plus(m.commits.Snapshot())
	all.Batches = all.Batches.Plus(m.batches.Snapshot())
	all.Ages = all.Ages.Plus(m.ages[0].Snapshot())
	for k := range in.Edges {
		ages := m.ages[1+k].Snapshot()
		all.Ages = all.Ages.Plus(ages)
		input := &all.Inputs[in.Edges[k].Input.Index]
		input.Ages = input.Ages.Plus(ages)
	}
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
