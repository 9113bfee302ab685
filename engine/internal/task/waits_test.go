package task

import (
	"testing"
	"time"

	"penstock/engine/internal/waits"
)

func TestWaitThatFollowsIsNotOverdueBesideItsCause(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	in := &Instance{Run: &Run{Clock: clock}, Waiting: waitingFor{waits: waits.Set{Clock: clock}, reading: []waits.Set{{Clock: clock}}}}
	in.Waiting.reading[0].Begin(waits.ReadAhead, "8 MiB")
	in.Waiting.waits.Begin(waits.Function, "message a:1")
	clock.advance(time.Hour)
	for _, wait := range in.WaitsNow(clock.at) {
		if wait.Overdue {
			t.Errorf("%+v is overdue", wait)
		}
	}
	in.Waiting.waits.End(waits.Function)
	if list := in.WaitsNow(clock.at); len(list) != 1 || !list[0].Overdue {
		t.Errorf("without a cause: %+v", list)
	}
}
