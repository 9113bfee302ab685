package task

import (
	"bytes"
	"log/slog"
	"time"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/waits"
	"penstock/engine/supervise"
)

// handClock is a clock that a test moves by hand.
type handClock struct {
	ports.RealTime
	at time.Time
}

func (c *handClock) Now() time.Time { return c.at }

func (c *handClock) advance(d time.Duration) { c.at = c.at.Add(d) }

// watched is a run whose waits are watched, for as long as look is told to.
func watched(clock *handClock, log *bytes.Buffer, onEvent func(supervise.Event)) (r *Run, look func(time.Duration)) {
	r = New(plan.New("told"), nil, clock, slog.New(slog.NewTextHandler(log, nil)), Settings{OnEvent: onEvent})
	r.Waits.Clock = clock
	w := waits.NewWatch(r.tell)
	return r, func(d time.Duration) {
		for end := clock.at.Add(d); clock.at.Before(end); clock.advance(waits.Interval) {
			r.lookAtWaits(w, clock.at)
		}
	}
}
