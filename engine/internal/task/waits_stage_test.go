package task

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/waits"
)

// The loop of a source notes its waits while the source's function waits for
// space. One must not end what the other has begun.
func TestSourceWaitsForSpaceAlsoWhenItsLoopLooks(t *testing.T) {
	t.Parallel()
	begun, cancel := context.WithCancel(t.Context())
	cancel()
	clock := &handClock{at: time.Unix(1e9, 0)}
	for _, c := range []struct {
		kind plan.Kind
		free int64
		want string
	}{
		{plan.KindSource, 99, "the disk is nearly full"},
		{plan.KindSource, 49, "the disk is full"},
		{plan.KindProcessor, 49, "the disk is full"},
		{plan.KindProcessor, 99, ""},
		{plan.KindSource, 100, ""},
	} {
		r := &Run{Clock: clock}
		r.Space = diskspace.New(diskspace.Config{
			Log: slog.New(slog.DiscardHandler), MinFree: 100, Wait: diskWait{&r.Waits},
			Measure: func(string) (free, size int64, err error) { return c.free, 800, nil },
		})
		_ = r.Space.AwaitStart(begun) // it looks, at least once
		in := &Task{Instance: &Instance{Run: r, Definition: &plan.Stage{Kind: c.kind}, Waiting: waitingFor{waits: waits.Set{Clock: clock}}}}
		in.noteSpace()
		in.noteWaits(false, true)
		got := ""
		if list := in.Waiting.waits.List(clock.at.Add(time.Minute), 0); len(list) > 0 {
			got = list[0].Detail
		}
		if got != c.want {
			t.Errorf("a %v with %d of 100 free waits for %q, not %q", c.kind, c.free, got, c.want)
		}
	}
}
