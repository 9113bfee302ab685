package stages

import (
	"context"
	"fmt"
	"io"
	"time"

	"penstock/internal/pause"

	"penstock/engine"
)

// HeartbeatState is where a Heartbeat is.
type HeartbeatState struct {
	Beats uint64    `json:"beats"` // emitted so far
	Next  time.Time `json:"next"`  // when the next one is due; zero before the first
}

// Heartbeat returns a source that emits the time of each beat: the first at
// once, the others each every after the one before, without drift. After that
// many beats it ends; 0 is without end.
//
// Beats that were missed, because the pipeline was down or its channel full,
// are not made up for: the next one comes at once and the beat goes on from
// there. A resumed Heartbeat goes on with the count. An every that is not
// positive stops the pipeline with an error.
//
// The function holds nothing itself and may serve several stages.
func Heartbeat(every time.Duration, beats uint64) engine.SourceFunc[HeartbeatState, time.Time] {
	return func(ctx context.Context, state *HeartbeatState, emit engine.Emit[time.Time]) error {
		if every <= 0 {
			return engine.Fatal(fmt.Errorf("heartbeat every %v: use a positive interval", every))
		}
		if beats > 0 && state.Beats >= beats {
			return io.EOF
		}
		due := state.due(time.Now(), every)
		if err := pause.For(ctx, time.Until(due)); err != nil {
			return err
		}
		emit(due)
		state.Beats++
		state.Next = due.Add(every)
		if state.Beats == beats {
			return io.EOF
		}
		return nil
	}
}

// due is when the next beat comes. It is never further away than one
// interval, also when the clock was set back or the interval made shorter.
func (s *HeartbeatState) due(now time.Time, every time.Duration) time.Time {
	now = now.Round(0) // the state is saved, and so is wall clock
	switch {
	case s.Next.Before(now):
		return now
	case s.Next.After(now.Add(every)):
		return now.Add(every)
	}
	return s.Next
}
