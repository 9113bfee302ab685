package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"penstock/engine"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/plan"
)

// world is one schedule: a pipeline, its server and disks, and the choices of
// what happens next, all from one seed.
type world struct {
	plan     *simPlan
	random   *rand.PCG
	messages uint64 // of each source
	now      int64
	calm     bool // no more faults: the run has to come to its end

	// What the world may do.
	syncAlways bool // the server syncs every write
	embedded   bool // server and process share their machine, and a checkpoint syncs both
	weights    weights
	aheadBytes int64 // that an input reads ahead

	// What it has done, which excuses refusals.
	lost      bool // acknowledged frames
	contested bool // a second owner was started
	robbed    bool // frames were purged from outside

	streams   map[plan.InstanceID]*simStream
	inOrder   []*simStream
	requests  []*request
	alive     []*simProcess
	disks     []*memory.Disk
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
	kill, cut, serverCut, answer, redeliver, rejoin, leave, restart, drain, second, rob, foreign uint64
	cutAtEnd, hang, fail, refuse, snooze, disk                                                   uint64
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
	{"purged from outside", true, true, 0, 500},
}

// simPerFrame is what a small frame counts of what is read ahead: one that holds
// many messages is larger.
const simPerFrame = 256

// newWorld makes schedule n of a seed.
func newWorld(plans []*simPlan, seed, n uint64, tracing bool) *world {
	w := &world{random: rand.NewPCG(seed, n), tracing: tracing, streams: map[plan.InstanceID]*simStream{}}
	w.plan = plans[w.choose(uint64(len(plans)))]
	w.plan.world = w
	p := profiles[w.choose(uint64(len(profiles)))]
	w.syncAlways, w.embedded = p.syncAlways, p.embedded
	w.messages = 4 + w.choose(12)
	if w.chance(64) {
		w.messages = 1 + w.choose(5) // the ends come early, and so most faults after them
	}
	w.aheadBytes = simPerFrame * int64(1+w.choose(4))
	w.now = int64(time.Hour)
	heat := 1 + w.choose(4)
	w.weights = weights{
		kill: 250 * heat, cut: 150 * heat, answer: 12000 * w.choose(3), redeliver: 700 * heat, rejoin: 400 * heat,
		leave: 400 * heat, restart: 400 * heat, drain: 60 * heat, second: p.second * heat, rob: p.rob * heat,
		foreign:  700 * w.choose(3) * heat,
		cutAtEnd: 20000 * w.choose(2), hang: 1000 * w.choose(3), fail: 1500 * w.choose(3), snooze: 1000 * w.choose(2), disk: 3000 * w.choose(3),
	}
	if n%4 == 3 { // not chosen, so that the others stay as they are
		w.weights.refuse = 1500
	}
	if !p.embedded && !p.syncAlways {
		w.weights.serverCut = 200 * heat
	}
	for _, s := range w.plan.stages {
		stream := &simStream{memory.NewStream(), s}
		w.streams[s.id] = stream
		w.inOrder = append(w.inOrder, stream)
	}
	w.oracle = newSimOracle(w)
	w.disks = append(w.disks, memory.NewDisk())
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
func (w *world) beforeCall(s simStages) error {
	if w.happens(w.weights.hang) {
		w.say("the function of %s hangs", s)
		w.current.hangs = true
		w.current.pause()
	}
	if w.happens(w.weights.snooze) {
		w.say("the function of %s snoozes", s)
		w.counts[postponed]++
		return engine.Snooze(10 * time.Millisecond)
	}
	return nil
}

func (w *world) mayFail(s simStages) error {
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

// mayRefuse is a codec that cannot write a state, this time.
func (w *world) mayRefuse() error {
	if !w.happens(w.weights.refuse) {
		return nil
	}
	w.say("a state cannot be written")
	w.counts[unwritable]++
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
			if fenced := (*engine.FencedError)(nil); errors.As(p.failed, &fenced) {
				w.counts[fencings]++
			}
			if !w.isExpected(p.failed) {
				w.violate("%s ends: %v", p, p.failed)
			}
			failed = p.failed
			w.dies(p)
		case p.isOver() && w.happens(w.weights.cutAtEnd):
			w.powerCut()
			return failed
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
		if last, found, err := s.LastCommit(); err != nil || !found || !last.Frame.Ended {
			return false
		}
	}
	return true
}
