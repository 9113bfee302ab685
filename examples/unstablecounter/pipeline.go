package unstablecounter

import (
	"context"

	"penstock/engine"
	"penstock/engine/supervise"
)

// Options are what may be chosen. The zero value is ready.
type Options struct {
	// Tick waits for the next tick and returns nil, or io.EOF when there
	// is none any more. It must return soon after ctx is done. Only one
	// call is under way at a time. Default: Ticks(0), without an end.
	Tick func(ctx context.Context) error
}

// New declares the pipeline "unstablecounter". Run it with engine.Pipeline.Run.
// Do not run two of it at once with the same Tick.
func New(o Options) *engine.Pipeline {
	if o.Tick == nil {
		o.Tick = Ticks(0)
	}
	p := engine.New("unstablecounter")
	unstable := p.With(
		engine.RestartBackoff(supervise.Immediate()),
		// It fails every 560 ms as long as it lives, and each time the
		// recovery function mends it: any limit would be reached.
		engine.RestartLimit(-1, 0))
	c := &counter{wait: o.Tick}
	counts := engine.Source(unstable, "counter", c.tick, engine.Hooks[State, uint8]{Start: c.start})
	engine.Sink(p, "display", counts, show)
	return p
}
