package task

import (
	"testing"
	"time"

	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/durability"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/view"
)

// The checkpointer has begun to note a sequence when the task of the same instance notes a later one. The later one
// stays, or the loss of the letters up to it would go unseen.
func TestTheNoteOfTheLettersNeverGoesDown(t *testing.T) {
	t.Parallel()
	writing, write := make(chan struct{}, 2), make(chan struct{})
	isFirst := true
	corner := memory.NewDisk().Corner("sink.0", func(bool) {
		if isFirst {
			isFirst = false
			writing <- struct{}{}
			<-write
		}
	})
	in := &Instance{Definition: &plan.Stage{Name: "sink"}, Run: &Run{Space: &diskspace.Watch{}}, Committed: &view.View{Store: corner}}
	note := func(reached uint64) <-chan error {
		done := make(chan error, 1)
		go func() { done <- in.noteLetters(reached) }()
		return done
	}
	checkpointer := note(5)
	<-writing
	task := note(7)
	select { // a task that does not wait for the checkpointer has noted 7 by now
	case err := <-task:
		if err != nil {
			t.Error(err)
		}
		task = nil
	case <-time.After(50 * time.Millisecond):
	}
	close(write)
	for _, done := range []<-chan error{checkpointer, task} {
		if done == nil {
			continue
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("it is not noted")
		}
	}
	if got, err := durability.Letters(corner); got != 7 || err != nil {
		t.Errorf("the letters are kept up to 7, and noted are %d, %v", got, err)
	}
}
