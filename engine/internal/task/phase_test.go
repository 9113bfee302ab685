package task

import (
	"slices"
	"testing"
)

func TestAnEndIsOnlyLeftByAReplay(t *testing.T) {
	for p := range phases {
		var c phaseCell
		c.now.Store(int32(p))
		c.On(commitsEnd)
		if !c.IsEnded() {
			t.Errorf("%v: its last frame is committed, and it has not ended", p)
		}
		for e := range phaseEvents {
			if e != reopens {
				c.On(e)
			}
			if !c.IsEnded() {
				t.Fatalf("%v: event %d took the end back", p, e)
			}
		}
		c.On(LifeIsOver)
		if !c.On(reopens) || c.IsEnded() || c.isStill() {
			t.Errorf("%v: after its end it does not go on for a dead letter", p)
		}
	}
}

func TestALifeCanBeginWhereverTheStageHasNotEnded(t *testing.T) {
	for p := range phases {
		var c phaseCell
		c.now.Store(int32(p))
		wasEnded := c.IsEnded()
		c.On(LifeBegins)
		if running := c.get() == phaseRunning; running == wasEnded {
			t.Errorf("%v: a life begins: %v", p, c.get())
		}
		c.On(LifeIsOver)
		if p != phaseEnding && !wasEnded && !c.isOver() {
			t.Errorf("%v: after a life that is over: %v", p, c.get())
		}
	}
}

func TestPhasesThatAreStill(t *testing.T) {
	still := []phase{phaseParked, phaseHalted, phaseGivenUp, phaseStopped, phaseEnded}
	for p := range phases {
		var c phaseCell
		c.now.Store(int32(p))
		if c.isStill() != slices.Contains(still, p) {
			t.Errorf("%v: still: %v", p, c.isStill())
		}
		if c.isOver() && !c.isStill() {
			t.Errorf("%v: it is over, and something may come from it", p)
		}
		if p.String() == "" {
			t.Errorf("phase %d has no name", p)
		}
	}
}

// What a person or the supervisor says of a stage holds until its next life, not
// what its loop finds meanwhile.
func TestALoopThatStillRunsDoesNotOverruleWhoStoppedIt(t *testing.T) {
	for _, stop := range []phaseEvent{operatorStops, givesUp} {
		var c phaseCell
		c.On(LifeBegins)
		c.On(stop)
		before := c.get()
		if c.On(nothingToDo) || c.On(somethingToDo) || c.get() != before {
			t.Errorf("the loop changed %v to %v", before, c.get())
		}
	}
}
