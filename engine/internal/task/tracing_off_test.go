package task

import (
	"testing"

	"penstock/engine/channel"
	"penstock/engine/internal/plan"
)

// Without a tracer nothing is allocated, and a frame takes nothing along.
func TestNoTracerNoCost(t *testing.T) {
	s, i, ctx := newSource(&Task{Batch: newBatch(&plan.Stage{}, plan.InstanceID{})}), &Input{}, t.Context()
	allocated := testing.AllocsPerRun(1000, func() {
		if s.Traces.context(ctx) != ctx {
			t.Error("the context is another one")
		}
		s.traceCalling()
		s.traceCall(i)
		s.traceHead(i)
		s.traceNothing()
		s.traceUndone(nil)
		if s.traceSent() != (channel.Trace{}) {
			t.Error("a frame takes something along")
		}
		s.traceCommitted(nil)
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}
