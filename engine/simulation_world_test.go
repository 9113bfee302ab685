package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// world is one schedule: a pipeline, its server and disks, and the choices of
// what happens next, all from one seed.
type world struct {
	plan     *plan
	random   *rand.PCG
	messages uint64 // of each source
	now      int64
	calm     bool // no more faults: the run has to come to its end

	// What the world may do.
	syncAlways bool // the server syncs every write
	embedded   bool // server and process share their machine, and a checkpoint syncs both
	weights    weights

	// What it has done, which excuses refusals.
	lost      bool // acknowledged frames
	contested bool // a second owner was started
	robbed    bool // somebody purged frames

	streams   map[string]*simStream
	inOrder   []*simStream
	requests  []*request
	alive     []*simProcess
	disks     []*simDisk
	processes int
	owners    uint64
	current   *coroutine
	oracle    *simOracle

	refused   error // how it ended, if it did not complete
	idle      int   // checkpoints since something else happened
	violation string
	steps     int
	counts    counts
	choices   []choice

	tracing bool
	trace   []string
}

// weights are how likely a fault is before each step, of 65536.
type weights struct {
	kill, cut, serverCut, answer, redeliver, rejoin, leave, drain, second, rob uint64
	hang, fail, snooze, disk                                                   uint64
}

// profile is a kind of schedule.
type profile struct {
	name                 string
	syncAlways, embedded bool
	second, rob          uint64
}

var profiles = []profile{
	{"sync always", true, true, 0, 0},
	{"sync always, external server", true, false, 0, 0},
	{"sync at intervals", false, true, 0, 0},
	{"sync at intervals, external server", false, false, 0, 0},
	{"second owner", true, false, 900, 0},
	{"purged by somebody", true, true, 0, 500},
}

// newWorld makes schedule n of a seed.
func newWorld(plans []*plan, seed, n uint64, tracing bool) *world {
	w := &world{random: rand.NewPCG(seed, n), tracing: tracing, streams: map[string]*simStream{}}
	w.plan = plans[w.choose(uint64(len(plans)))]
	w.plan.world = w
	p := profiles[w.choose(uint64(len(profiles)))]
	w.syncAlways, w.embedded = p.syncAlways, p.embedded
	w.messages = 4 + w.choose(12)
	w.now = int64(time.Hour)
	heat := 1 + w.choose(4)
	w.weights = weights{
		kill: 250 * heat, cut: 150 * heat, answer: 12000 * w.choose(3), redeliver: 700 * heat, rejoin: 400 * heat,
		leave: 400 * heat, drain: 60 * heat, second: p.second * heat, rob: p.rob * heat,
		hang: 1000 * w.choose(3), fail: 1500 * w.choose(3), snooze: 1000 * w.choose(2), disk: 3000 * w.choose(3),
	}
	if !p.embedded && !p.syncAlways {
		w.weights.serverCut = 200 * heat
	}
	for _, s := range w.plan.stages {
		stream := &simStream{stage: s, first: 1}
		w.streams[s.name] = stream
		w.inOrder = append(w.inOrder, stream)
	}
	w.oracle = newSimOracle(w)
	w.disks = append(w.disks, newSimDisk())
	if tracing {
		w.say("%s, %d stages, %d messages", p.name, len(w.plan.stages), w.messages)
	}
	return w
}

// begin makes a coroutine that has not run.
func (w *world) begin(name string, body func(c *coroutine)) *coroutine {
	return &coroutine{name: name, body: body, pool: w.plan.threads}
}

func (w *world) choose(n uint64) uint64 { return w.random.Uint64() >> 11 % n }

// chance is true in n of 256 cases.
func (w *world) chance(n uint64) bool { return w.random.Uint64()>>56 < n }

func (w *world) happens(weight uint64) bool {
	return !w.calm && weight > 0 && w.random.Uint64()>>48 < weight
}

func (w *world) nonce() uint64 { return w.random.Uint64() >> 34 }

func (w *world) say(format string, args ...any) {
	if w.tracing {
		w.trace = append(w.trace, fmt.Sprintf("%4d %s", w.steps, fmt.Sprintf(format, args...)))
	}
}

func (w *world) violate(format string, args ...any) {
	if w.violation == "" {
		w.violation = fmt.Sprintf(format, args...)
	}
	w.say("VIOLATION: "+format, args...)
}

// beforeCall is a stage's function that does not return at once, or asks for
// its message later.
func (w *world) beforeCall(s *simStage) error {
	if w.happens(w.weights.hang) {
		w.say("the function of %s hangs", s)
		w.current.hangs = true
		w.current.pause()
	}
	if w.happens(w.weights.snooze) {
		w.say("the function of %s snoozes", s)
		w.counts[postponed]++
		return Snooze(10 * time.Millisecond)
	}
	return nil
}

func (w *world) mayFail(s *simStage) error {
	if !w.happens(w.weights.fail) {
		return nil
	}
	w.say("the function of %s fails", s)
	w.counts[funcFailures]++
	if w.chance(16) {
		panic(errStage)
	}
	return errStage
}

// meanwhile is where the server may do something while a reader asks it.
func (w *world) meanwhile() {
	if len(w.requests) == 0 || w.calm || !w.chance(64) {
		return
	}
	if q := w.requests[w.choose(uint64(len(w.requests)))]; !q.arrived {
		w.arrive(q)
	}
}

// Bounds of a schedule: the steps with faults, and how many more it may take
// to come to its end.
const (
	faultySteps = 160
	calmSteps   = 4000
	maxFailures = 6
)

// play runs the schedule to its end.
func (w *world) play() {
	defer w.close()
	defer w.verdict()
	faulty := 40 + int(w.choose(faultySteps))
	failures := 0
	for w.violation == "" {
		w.steps++
		if w.steps == faulty {
			w.beCalm()
		}
		if w.steps > faulty+calmSteps {
			w.violate("it does not come to an end")
			return
		}
		if !w.calm {
			w.disturb()
		}
		if w.step() {
			w.say("complete")
			w.oracle.complete()
			return
		}
		if err := w.reap(); err != nil {
			if failures++; failures == maxFailures {
				w.refused = err
				return
			}
		}
	}
}

// beCalm ends the time of faults. What hangs returns.
func (w *world) beCalm() {
	w.say("calm from now on")
	w.calm = true
	for len(w.alive) > 1 {
		w.dies(w.alive[w.choose(uint64(len(w.alive)))])
	}
	for _, p := range w.alive {
		for _, s := range p.sessions {
			s.co.hangs = false
		}
	}
}

// dies is kill, and what becomes of what was on its way.
func (w *world) dies(p *simProcess) {
	p.kill()
	w.dropRequests(p)
}

// reap ends processes that have to, and returns why the last one had.
func (w *world) reap() (failed error) {
	for n := len(w.alive) - 1; n >= 0; n-- {
		p := w.alive[n]
		switch {
		case p.failed != nil:
			w.say("%s ends: %v", p, p.failed)
			if fenced := (*FencedError)(nil); errors.As(p.failed, &fenced) {
				w.counts[fencings]++
			}
			if !w.isExpected(p.failed) {
				w.violate("%s ends: %v", p, p.failed)
			}
			failed = p.failed
			w.dies(p)
		case p.isOver():
			p.conclude()
		}
	}
	return failed
}

func (w *world) close() {
	for len(w.alive) > 0 {
		w.alive[0].kill()
	}
}

func (w *world) isComplete() bool {
	for _, s := range w.inOrder {
		if len(s.frames) == 0 || !s.frames[len(s.frames)-1].frame.Ended {
			return false
		}
	}
	return true
}

// choice is something that can happen next.
type choice struct {
	what    kindOfChoice
	process *simProcess
	session *simSession
	feed    *simFeed
	request *request
	run     *coroutine
}

type kindOfChoice uint8

const (
	toRun kindOfChoice = iota
	toReturn
	toCallSource
	toDeliver
	toArrive
	toAnswer
	toCheckpoint
	toStart
)

// gather lists what can happen next.
func (w *world) gather() {
	w.choices = w.choices[:0]
	for _, p := range w.alive {
		if !p.opened {
			if p.boot.isReady(w.now) {
				w.choices = append(w.choices, choice{what: toRun, run: p.boot})
			}
			continue
		}
		if p.saver.isReady(w.now) {
			w.choices = append(w.choices, choice{what: toRun, run: p.saver})
		} else if p.saver.idle && (len(p.run.checkpointer.kicked) > 0 || !w.calm && w.chance(24)) {
			w.choices = append(w.choices, choice{what: toCheckpoint, process: p})
		}
		for _, s := range p.sessions {
			if s.co.ended {
				continue
			}
			if s.co.hangs {
				w.choices = append(w.choices, choice{what: toReturn, run: s.co, session: s})
			} else if s.isReady() {
				w.choices = append(w.choices, choice{what: toRun, run: s.co})
			}
			if s.canFeed() {
				w.choices = append(w.choices, choice{what: toCallSource, session: s})
			}
			for _, f := range s.feeds {
				if f.canDeliver() {
					w.choices = append(w.choices, choice{what: toDeliver, feed: f})
				}
			}
		}
	}
	for _, q := range w.requests {
		if !q.arrived {
			w.choices = append(w.choices, choice{what: toArrive, request: q})
		} else if !q.answered {
			w.choices = append(w.choices, choice{what: toAnswer, request: q})
		}
	}
	if len(w.alive) == 0 {
		w.choices = append(w.choices, choice{what: toStart})
	}
}

// step lets one thing happen, and says whether the run is complete.
func (w *world) step() bool {
	w.gather()
	if len(w.choices) == 0 {
		if !w.wait() {
			w.stuck()
		}
		return false
	}
	if c := &w.choices[0]; c.run == nil || len(w.alive) == 0 || c.run != w.alive[0].saver {
		w.idle = 0
	}
	c := w.choices[w.choose(uint64(len(w.choices)))]
	switch c.what {
	case toRun:
		w.resume(c.run)
	case toReturn:
		w.say("the function of %s returns", c.session)
		c.run.hangs = false
		w.resume(c.run)
	case toCallSource:
		c.session.feed()
	case toDeliver:
		c.feed.deliver(c.feed.session.ctx)
	case toArrive:
		w.arrive(c.request)
		w.sweep()
	case toAnswer:
		if w.happens(w.weights.answer) {
			w.giveUp(c.request)
		} else {
			w.answer(c.request)
		}
		w.sweep()
	case toCheckpoint:
		select {
		case <-c.process.run.checkpointer.kicked:
		default:
		}
		w.resume(c.process.saver)
	case toStart:
		if w.isComplete() {
			return true
		}
		w.start(w.disks[w.choose(uint64(len(w.disks)))])
	}
	return false
}

func (w *world) resume(c *coroutine) {
	before := w.current
	w.current = c
	c.resume()
	w.current = before
}

// wait lets the time pass until something is due. When nothing is, a checkpoint
// may make room.
func (w *world) wait() bool {
	due := int64(1) << 62
	for _, p := range w.alive {
		for _, s := range p.sessions {
			switch c := s.co; {
			case c.ended || c.hangs || c.done != nil:
			case c.idle:
				due = min(due, s.wakeAt)
			default:
				due = min(due, c.due)
			}
		}
		if !p.opened && p.boot.done == nil {
			due = min(due, p.boot.due)
		}
	}
	if due-w.now < int64(time.Minute) {
		w.now = max(w.now, due)
		w.say("%v later", time.Duration(w.now)-time.Hour)
		return true
	}
	w.idle++
	for _, p := range w.alive {
		if p.opened && p.saver.idle && w.idle < 10 {
			w.resume(p.saver)
			return true
		}
	}
	return false
}

// stuck is when nothing can go on. Where the server has lost what it had
// acknowledged, somebody has to start the pipeline again: a stage that had
// ended does not look whether its end is still there.
func (w *world) stuck() {
	if !w.lost || w.embedded {
		w.violate("nothing can go on")
		return
	}
	w.say("nothing can go on; somebody stops everything")
	w.counts[hangs]++
	for len(w.alive) > 0 {
		w.dies(w.alive[0])
	}
}

// disturb lets at most one fault happen.
func (w *world) disturb() {
	w.now += int64(w.choose(uint64(2 * time.Millisecond)))
	v := w.random.Uint64()
	hit := func(weight uint64) bool {
		roll := v & 0xffff
		v = v>>16 | v<<48
		v *= 0x9e3779b97f4a7c15
		return roll < weight
	}
	switch {
	case len(w.alive) > 0 && hit(w.weights.kill):
		p := w.alive[w.choose(uint64(len(w.alive)))]
		w.say("%s is killed", p)
		w.counts[kills]++
		w.dies(p)
	case hit(w.weights.cut):
		w.powerCut()
	case hit(w.weights.serverCut):
		w.say("the server's power is cut")
		w.counts[serverCuts]++
		w.cutServer()
		for _, p := range w.alive {
			for _, s := range p.sessions {
				for _, f := range s.feeds {
					f.joined = false
				}
			}
		}
	case len(w.requests) > 0 && hit(w.weights.answer/8):
		if q := w.requests[w.choose(uint64(len(w.requests)))]; !q.answered && !q.process.dead {
			w.giveUp(q) // it may arrive later
			if w.chance(96) && !q.arrived {
				q.arrived = true // never
			}
			w.sweep()
		}
	case hit(w.weights.redeliver):
		if f := w.anyFeed(); f != nil {
			f.redeliver(f.session.ctx)
		}
	case hit(w.weights.rejoin):
		if f := w.anyFeed(); f != nil {
			w.say("%s: its consumer is gone", f.session)
			w.counts[rejoins]++
			f.joined = false
		}
	case hit(w.weights.leave * 8):
		w.leaveHanging()
	case len(w.alive) > 0 && hit(w.weights.drain):
		if p := w.alive[w.choose(uint64(len(w.alive)))]; p.opened {
			w.say("%s is to drain", p)
			w.counts[drains]++
			p.run.beginDrain()
		}
	case len(w.alive) == 1 && hit(w.weights.second):
		w.startSecond()
	case hit(w.weights.rob):
		w.rob()
	}
}

func (w *world) anyFeed() *simFeed {
	if len(w.alive) == 0 {
		return nil
	}
	p := w.alive[w.choose(uint64(len(w.alive)))]
	if !p.opened || len(p.sessions) == 0 {
		return nil
	}
	s := p.sessions[w.choose(uint64(len(p.sessions)))]
	if len(s.feeds) == 0 || s.co.ended {
		return nil
	}
	f := s.feeds[w.choose(uint64(len(s.feeds)))]
	if f.refused {
		return nil
	}
	return f
}

// dropRequests loses what a dead process had on its way, or lets it arrive.
func (w *world) dropRequests(p *simProcess) {
	for _, q := range w.requests {
		switch {
		case q.process != p || q.arrived:
		case w.chance(128):
			q.arrived = true
		case w.embedded, !w.syncAlways:
			// An embedded server is dead as well. One that loses frames uses their
			// sequences again, which would let a late commit of a dead owner pass.
			w.arrive(q)
		}
	}
	w.sweep()
}

func (w *world) powerCut() {
	w.say("the power is cut")
	w.counts[powerCuts]++
	for len(w.alive) > 0 {
		w.dies(w.alive[0])
	}
	for _, d := range w.disks {
		d.cut(int(w.choose(uint64(len(d.unsaved) + 1))))
	}
	if w.embedded {
		for _, q := range w.requests {
			q.arrived = true
		}
		w.sweep()
		w.cutServer()
	}
}

func (w *world) cutServer() {
	for _, s := range w.inOrder {
		w.loseTail(s)
	}
}

// leaveHanging gives up a function that hangs.
func (w *world) leaveHanging() {
	for _, p := range w.alive {
		for _, s := range p.sessions {
			if s.co.hangs && p.opened && s.session.instance.session.Load() == s.session {
				s.abandon()
				return
			}
		}
	}
}

// startSecond starts another process beside one that lives on, with a copy of
// its directory, or with none.
func (w *world) startSecond() {
	w.contested = true
	w.counts[secondOwners]++
	disk := newSimDisk()
	if w.chance(160) {
		disk = w.alive[0].disk.copy()
	}
	w.disks = append(w.disks, disk)
	w.start(disk)
}

// rob purges frames, whoever needs them.
func (w *world) rob() {
	s := w.inOrder[w.choose(uint64(len(w.inOrder)))]
	if len(s.frames) < 2 {
		return
	}
	w.robbed = true
	w.counts[purges]++
	w.say("somebody purges %s", s.stage)
	w.purge(s, s.first+1+w.choose(uint64(len(s.frames)-1)))
}
