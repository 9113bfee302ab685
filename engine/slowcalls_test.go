package engine_test

import (
	"context"
	"testing"
	"time"

	"penstock/engine"
)

// A stage that is slow and has much to do commits all the same, long before a batch is full: or a process that is killed
// again and again would not come on.
func TestSlowCallsAreCommittedMeanwhile(t *testing.T) {
	t.Parallel()
	const all = 5000
	p := engine.New("slow")
	ids := engine.Source(p, "ids", count(all, all))
	ctx, cancel := bounded(t)
	defer cancel()
	var seen uint64 // the message at which a commit was seen
	engine.Sink(p, "sink", ids, func(_ context.Context, n *uint64, m engine.Message[uint64]) error {
		if *n++; seen > 0 {
			return nil
		}
		<-time.After(time.Millisecond) // the slow call
		for _, s := range p.Status().Stages {
			if s.Name == "sink" && s.In > 0 {
				seen = m.Offset
				cancel()
			}
		}
		return nil
	})
	if err := p.Run(ctx, testConfig(t, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Errorf("no commit within %d calls of a millisecond", all)
	}
}
