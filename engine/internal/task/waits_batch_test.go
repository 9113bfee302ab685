package task

import (
	"context"
	"testing"
	"time"

	"penstock/engine/internal/waits"
)

// begunClock tells that a wait begins, which asks it for the time.
type begunClock struct {
	handClock
	begun chan struct{}
}

func (c *begunClock) Now() time.Time {
	signal(c.begun)
	return c.at
}

// A source that waits until its batch is committed has a wait with a name. It
// follows from what keeps the commit, and is overdue when nothing does.
func TestSourceThatWaitsForItsBatchHasANamedWait(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(*Source, context.Context) error{
		"before a large call": (*Source).waitForOthers,
		"with a full batch":   (*Source).waitForRoom,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &begunClock{handClock{at: time.Unix(1e9, 0)}, make(chan struct{}, 1)}
			in := newSource(&Task{Instance: &Instance{Run: &Run{Clock: clock}, Waiting: waitingFor{waits: waits.Set{Clock: clock}}}, Batch: &batch{}})
			in.Format.Limits = limits{Frame: 1000, Batch: 900}
			in.Format.Capacity.Messages = 1000
			in.Batch.Calls, in.Batch.Bytes = 1, 950
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			waited := make(chan error, 1)
			go func() { waited <- wait(in, ctx) }()
			select {
			case <-clock.begun:
			case <-ctx.Done():
				t.Fatal("the wait has no name")
			}
			in.makeRoom() // it looks once more, so the name is there when it has taken this
			for len(in.room) > 0 {
				if ctx.Err() != nil {
					t.Fatal("it does not wait for room")
				}
				time.Sleep(time.Millisecond)
			}
			later := clock.at.Add(time.Minute)
			if list := in.WaitsNow(later); len(list) != 1 || list[0].For != "batch" || !list[0].Overdue {
				t.Errorf("the waits are %+v", list)
			}
			in.Waiting.waits.Begin(waits.Commit, "no answer yet")
			if list := in.WaitsNow(later.Add(-50 * time.Second)); len(list) != 2 || list[1].Overdue {
				t.Errorf("beside its cause the waits are %+v", list)
			}
			in.Waiting.waits.End(waits.Commit)
			in.Batch.mu.Lock()
			in.Batch.Calls, in.Batch.Bytes = 0, 0
			in.Batch.mu.Unlock()
			in.makeRoom()
			if err := <-waited; err != nil {
				t.Fatal(err)
			}
			if list := in.WaitsNow(later); len(list) != 0 {
				t.Errorf("after it the waits are %+v", list)
			}
		})
	}
}
