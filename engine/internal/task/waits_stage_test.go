package task

import (
	"testing"
	"time"

	"penstock/engine/internal/plan"
)

// The loop of a source notes its waits while the source's function waits for
// space. One must not end what the other has begun.
func TestSourceWaitsForSpaceAlsoWhenItsLoopLooks(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	for _, c := range []struct {
		kind  plan.Kind
		level int32
		want  string
	}{
		{plan.KindSource, spaceLow, "the disk is nearly full"},
		{plan.KindSource, spaceFull, "the disk is full"},
		{plan.KindProcessor, spaceFull, "the disk is full"},
		{plan.KindProcessor, spaceLow, ""},
		{plan.KindSource, SpaceEnough, ""},
	} {
		r := &Run{Clock: clock}
		r.Space = newSpace(r)
		r.Space.level.Store(c.level)
		in := &Task{Instance: &Instance{Run: r, Definition: &plan.Stage{Kind: c.kind}, Waiting: waitingFor{waits: waits{clock: clock}}}}
		in.noteSpace()
		in.noteWaits(false, true)
		got := ""
		if list := in.Waiting.waits.List(clock.at.Add(time.Minute), 0); len(list) > 0 {
			got = list[0].Detail
		}
		if got != c.want {
			t.Errorf("a %v at level %s waits for %q, not %q", c.kind, SpaceNames[c.level], got, c.want)
		}
	}
}
