package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/memory"
)

// registerWorld is one schedule: the stream of an instance, and owners that take it over from one another while these
// commit without a pause. What of them is played is the engine's take-over; the rest is registerOwner.
type registerWorld struct {
	random   *rand.PCG
	pool     *threads
	stream   *memory.Stream
	requests []*registerRequest
	owners   []*registerOwner // those that live
	begun    uint64           // number of the last one
	now      int64
	calm     bool // no more faults
	loss     uint64
	oracle   *registerOracle
	current  *coroutine

	violation string
	steps     int
	counts    registerCounts
	tracing   bool
	trace     []string
}

// registerRequest is a publish on its way.
type registerRequest struct {
	owner    *registerOwner
	subject  memory.Subject
	data     []byte
	expected memory.Expectation
	settle   func(sequence uint64, err error)

	arrived, answered bool
	sequence          uint64
	err               error
}

const (
	registerSteps = 120 // at most, with faults
	mostOwners    = 4
	commitsAtEnd  = 3 // in calm, of the last owner
)

func playRegister(pool *threads, seed, n uint64, tracing bool) *registerWorld {
	w := &registerWorld{random: rand.NewPCG(seed, n), pool: pool, stream: memory.NewStream(), tracing: tracing, now: int64(time.Hour)}
	w.oracle = &registerOracle{world: w, owners: map[uint64]uint64{}}
	w.loss = 8 * w.choose(5)
	w.play()
	for len(w.owners) > 0 {
		w.kill(w.owners[0])
	}
	return w
}

func (w *registerWorld) choose(n uint64) uint64 { return w.random.Uint64() >> 11 % n }

// chance is true in n of 256 cases.
func (w *registerWorld) chance(n uint64) bool { return w.random.Uint64()>>56 < n }

func (w *registerWorld) say(format string, args ...any) {
	if w.tracing {
		w.trace = append(w.trace, fmt.Sprintf("%4d %s", w.steps, fmt.Sprintf(format, args...)))
	}
}

func (w *registerWorld) violate(format string, args ...any) {
	if w.violation == "" {
		w.violation = fmt.Sprintf(format, args...)
	}
	w.say("VIOLATION: "+format, args...)
}

func (w *registerWorld) play() {
	w.claimant()
	faulty := 30 + int(w.choose(registerSteps))
	for w.violation == "" {
		switch w.steps++; {
		case w.steps == faulty:
			w.beCalm()
		case w.steps > faulty+2000:
			w.violate("it does not come to an end")
			return
		case !w.calm:
			w.disturb()
		}
		w.now += int64(w.choose(uint64(time.Millisecond)))
		w.step()
		if w.isComplete() {
			w.counts[registerCompleted]++
			return
		}
	}
}

// isComplete says that one owner is left, that it commits, and that nothing of the others is on its way.
func (w *registerWorld) isComplete() bool {
	return w.calm && len(w.owners) == 1 && w.owners[0].commits >= commitsAtEnd &&
		!slices.ContainsFunc(w.requests, func(q *registerRequest) bool { return q.owner != w.owners[0] })
}

// beCalm ends the faults. One of the owners may live on, and another one may begin.
func (w *registerWorld) beCalm() {
	w.say("calm from now on")
	w.calm = true
	for left := int(w.choose(2)); len(w.owners) > left; {
		w.kill(w.owners[w.choose(uint64(len(w.owners)))])
	}
	for _, o := range w.owners {
		o.asleep, o.commits = false, 0
	}
	if w.chance(128) {
		w.claimant()
	}
}

// claimant begins a new owner beside those that there are.
func (w *registerWorld) claimant() {
	w.begun++
	o := &registerOwner{world: w, number: w.begun}
	o.co = &coroutine{name: o.String(), body: func(*coroutine) { o.live() }, pool: w.pool}
	w.owners = append(w.owners, o)
	w.counts[claimants]++
	w.say("%s begins", o)
}

// kill ends an owner. What it has on its way may be stored all the same, now or much later.
func (w *registerWorld) kill(o *registerOwner) {
	o.dead = true
	o.co.kill()
	w.owners = slices.DeleteFunc(w.owners, func(other *registerOwner) bool { return other == o })
	for _, q := range w.requests {
		if q.owner == o {
			q.answered = true
			q.arrived = q.arrived || w.chance(96)
		}
	}
	w.sweep()
}

func (w *registerWorld) sweep() {
	w.requests = slices.DeleteFunc(w.requests, func(q *registerRequest) bool { return q.arrived && q.answered })
}

// disturb lets at most one fault happen.
func (w *registerWorld) disturb() {
	switch roll := w.choose(1000); {
	case roll < 60 && len(w.owners) < mostOwners:
		w.claimant()
	case roll < 75 && len(w.owners) > 0:
		o := w.owners[w.choose(uint64(len(w.owners)))]
		w.say("%s is killed", o)
		w.counts[registerKills]++
		w.kill(o)
	case roll < 110 && len(w.owners) > 0:
		o := w.owners[w.choose(uint64(len(w.owners)))]
		o.asleep = !o.asleep
		w.counts[sleeps]++
		w.say("%s sleeps: %v", o, o.asleep)
	case roll < 120:
		w.newLeader()
	case roll < 140:
		w.foreign()
	case roll < 155:
		w.copySeal()
	case roll < 175+10*w.loss && len(w.requests) > 0:
		w.giveUp(w.requests[w.choose(uint64(len(w.requests)))])
	}
	w.sweep()
}

// newLeader loses all answers, and what has not arrived or some of it.
func (w *registerWorld) newLeader() {
	w.say("another server leads")
	w.counts[leaderChanges]++
	for _, q := range slices.Clone(w.requests) {
		w.giveUp(q)
		q.arrived = q.arrived || w.chance(128)
	}
}

// giveUp answers a publish whose answer does not come. It may be stored later.
func (w *registerWorld) giveUp(q *registerRequest) {
	if q.answered {
		return
	}
	q.answered = true
	w.counts[registerNoAnswers]++
	w.say("%s: no answer (stored: %v)", q.owner, q.arrived && q.err == nil)
	if q.subject == memory.Commits && q.expected.On == memory.Register {
		q.owner.unanswered++
	}
	q.settle(0, fmt.Errorf("%w: no answer", channel.ErrUnknown))
}

func (w *registerWorld) foreign() {
	subject := memory.Subject(w.choose(2))
	w.counts[registerForeign]++
	data := []byte("garbage")
	if w.stream.Len() > 0 && w.chance(128) {
		data = w.stream.Data(w.stream.First() + w.choose(uint64(w.stream.Len())))
	}
	w.say("another client publishes to subject %d: sequence %d", subject, w.stream.AppendForeignTo(subject, data))
	if subject == memory.Register {
		for _, o := range w.owners {
			o.unanswered++
		}
	}
}

// copySeal is another client that publishes the last seal once more, as it is. The server stores it while its claim is
// the newest.
func (w *registerWorld) copySeal() {
	for at := w.stream.Last(); at >= w.stream.First(); at-- {
		f := w.stream.Frame(at)
		if f == nil || f.Kind != frame.KindSeal {
			continue
		}
		if sequence, err := w.stream.Store(memory.Commits, w.stream.Data(at), memory.Expectation{On: memory.Register, Last: f.Claim.Sequence}); err == nil {
			w.counts[copiedSeals]++
			w.say("another client copies the seal of owner %d: sequence %d", f.Owner, sequence)
			w.oracle.stored(memory.Commits, sequence, true)
		}
		return
	}
}

// step lets one thing happen.
func (w *registerWorld) step() {
	var choices []func()
	for _, o := range w.owners {
		if !o.asleep && o.co.isReady(w.now) {
			choices = append(choices, func() { w.resume(o) })
		}
	}
	for _, q := range w.requests {
		switch {
		case !q.arrived:
			choices = append(choices, func() { w.arrive(q) })
		case !q.answered:
			choices = append(choices, func() { w.answer(q) })
		}
	}
	switch {
	case len(choices) > 0:
		choices[w.choose(uint64(len(choices)))]()
		w.sweep()
	case len(w.owners) == 0:
		w.claimant()
	default:
		w.now += int64(10 * time.Millisecond)
	}
}

func (w *registerWorld) resume(o *registerOwner) {
	before := w.current
	w.current = o.co
	o.co.resume()
	w.current = before
	if o.co.ended && !o.dead {
		w.kill(o)
	}
}

// arrive is the server's part of a publish.
func (w *registerWorld) arrive(q *registerRequest) {
	q.arrived = true
	q.sequence, q.err = w.stream.Store(q.subject, q.data, q.expected)
	if q.err != nil {
		w.counts[registerConflicts]++
		w.say("%s: refused: %v", q.owner, q.err)
		return
	}
	if w.tracing {
		f := w.stream.Frame(q.sequence)
		w.say("%s: sequence %d: %v of claim %d, %s", q.owner, q.sequence, f.Kind, f.Claim.Sequence, describe(f))
	}
	if q.answered {
		w.counts[lateArrivals]++
	}
	w.oracle.stored(q.subject, q.sequence, false)
}

func (w *registerWorld) answer(q *registerRequest) {
	q.answered = true
	q.settle(q.sequence, q.err)
}
