package task

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"penstock/engine/internal/waits"
)

// While a letter is under way its stage has the name of that wait, whatever
// other letters begin and end at the same time.
func TestWaitForLettersKeepsItsName(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	w := &waits.Set{Clock: clock}
	var letters lettersWait
	letterCount := 100_000
	if testing.Short() {
		letterCount = 10_000
	}
	var sending sync.WaitGroup
	for range 4 {
		sending.Go(func() {
			for range letterCount {
				letters.begin(w)
				runtime.Gosched() // the others may end theirs
				isNamed := len(w.List(clock.at.Add(time.Minute), 0)) == 1
				letters.end(w)
				if !isNamed {
					t.Error("a letter is under way, and the wait has no name")
					return
				}
			}
		})
	}
	sending.Wait()
	if list := w.List(clock.at.Add(time.Hour), 0); len(list) != 0 {
		t.Errorf("no letter is under way, and the stage waits for %+v", list)
	}
}

// The end of a life of the stage does not take the name of a wait for letters
// that are still under way.
func TestWaitForLettersOutlastsALife(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	in := &Task{Instance: &Instance{Run: &Run{Clock: clock}, Waiting: waitingFor{waits: waits.Set{Clock: clock}}}}
	in.Waiting.keeping.begin(&in.Waiting.waits)
	in.Waiting.waits.Begin(waits.Commit, "no answer yet")
	in.endWaits()
	if list := in.Waiting.waits.List(clock.at.Add(time.Minute), 0); len(list) != 1 || list[0].Kind != waits.Letters {
		t.Errorf("the waits are %+v", list)
	}
}
