package task

import "sync/atomic"

// phase is where an instance stands in this run.
type phase int32

const (
	phaseStarting phase = iota // it is opened, or between two lives
	phaseRunning
	phaseParked  // it can do nothing until a stage that was given up is started again
	phaseHalted  // an operator has stopped it, which only a drain looks for
	phaseGivenUp // only an operator starts it again
	phaseStopped // it commits nothing more in this run
	phaseEnding  // its last frame is committed, and its stop hook may still run
	phaseEnded
	phases
)

var phaseNames = [phases]string{"starting", "running", "parked", "halted", "given up", "stopped", "ending", "ended"}

func (p phase) String() string { return phaseNames[p] }

// phaseEvent is what moves an instance from one phase to another.
type phaseEvent int

const (
	LifeBegins  phaseEvent = iota
	nothingToDo            // but what a stage that was given up may bring
	somethingToDo
	operatorStops
	operatorStarts
	givesUp
	startsAgain // after it was given up
	commitsEnd  // its last frame
	LifeIsOver  // and no other follows
	reopens     // for a dead letter that is replayed
	phaseEvents
)

// phaseAfter is the phase after an event, by the phase before. An event that is
// not named leaves the phase as it is.
var phaseAfter = [phaseEvents]map[phase]phase{
	LifeBegins: {
		phaseStarting: phaseRunning, phaseParked: phaseRunning, phaseHalted: phaseRunning,
		phaseGivenUp: phaseRunning, phaseStopped: phaseRunning,
	},
	nothingToDo:    {phaseRunning: phaseParked},
	somethingToDo:  {phaseParked: phaseRunning},
	operatorStops:  {phaseStarting: phaseHalted, phaseRunning: phaseHalted, phaseParked: phaseHalted},
	operatorStarts: {phaseHalted: phaseRunning},
	givesUp: {
		phaseStarting: phaseGivenUp, phaseRunning: phaseGivenUp, phaseParked: phaseGivenUp,
		phaseHalted: phaseGivenUp, phaseStopped: phaseGivenUp,
	},
	startsAgain: {phaseGivenUp: phaseStarting},
	commitsEnd: {
		phaseStarting: phaseEnding, phaseRunning: phaseEnding, phaseParked: phaseEnding,
		phaseHalted: phaseEnding, phaseGivenUp: phaseEnding, phaseStopped: phaseEnding,
	},
	LifeIsOver: {
		phaseStarting: phaseStopped, phaseRunning: phaseStopped, phaseParked: phaseStopped,
		phaseHalted: phaseStopped, phaseGivenUp: phaseStopped, phaseEnding: phaseEnded,
	},
	reopens: {phaseEnded: phaseStarting},
}

// phaseCell holds the phase of an instance. Its loop, the supervisor and a drain
// change it, and others read it. Safe for concurrent use.
type phaseCell struct{ now atomic.Int32 }

func (c *phaseCell) get() phase { return phase(c.now.Load()) }

// opened sets the phase that the last commit tells.
func (c *phaseCell) opened(hasEnded bool) {
	if hasEnded {
		c.now.Store(int32(phaseEnded))
	} else {
		c.now.Store(int32(phaseStarting))
	}
}

// On takes an event, and says whether it changed the phase.
func (c *phaseCell) On(e phaseEvent) bool {
	for {
		before := c.now.Load()
		after, is := phaseAfter[e][phase(before)]
		if !is {
			return false
		}
		if c.now.CompareAndSwap(before, int32(after)) {
			return true
		}
	}
}

// IsEnded says that the last frame is committed.
func (c *phaseCell) IsEnded() bool {
	p := c.get()
	return p == phaseEnding || p == phaseEnded
}

func (c *phaseCell) isGivenUp() bool { return c.get() == phaseGivenUp }

// isOver says that the instance commits nothing more in this run.
func (c *phaseCell) isOver() bool {
	p := c.get()
	return p == phaseStopped || p == phaseEnded
}

// isStill says that nothing more comes from the instance, unless a person
// starts a stage again that was given up.
func (c *phaseCell) isStill() bool {
	switch c.get() {
	case phaseParked, phaseHalted, phaseGivenUp, phaseStopped, phaseEnded:
		return true
	}
	return false
}
