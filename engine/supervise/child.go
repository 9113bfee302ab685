package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Child is something that runs until it ends or fails.
type Child struct {
	Name string // for events and errors; unique in its supervisor
	// Serve does the work until ctx is done. Returning nil ends the child for good, an error marked by Escalate ends all
	// children; after any other error, or a panic, Serve is called again.
	Serve func(ctx context.Context) error
	// Backoff says how long to wait before a restart; the zero value is ready.
	Backoff Backoff
	// Progress counts something that only grows while all is well. If it has grown since the last start, a failure is a
	// new one, and its delay the shortest. Without it delays only grow. It is called between two runs of Serve.
	Progress func() uint64
}

func (c *Child) progress() uint64 {
	if c.Progress == nil {
		return 0
	}
	return c.Progress()
}

// child sees one child through its life. It returns nil, or the failure to escalate with the child's name.
func (r *run) child(ctx context.Context, c *Child) error {
	kind := Starting
	for restart := 0; ctx.Err() == nil; kind = Restarting {
		r.event(Event{Child: c.Name, Kind: kind, Restart: restart})
		before := c.progress()
		err := Call(func() error { return c.Serve(ctx) })
		if err == nil {
			break
		}
		if IsEscalated(err) {
			err = fmt.Errorf("%s: %w", c.Name, err)
			r.event(Event{Child: c.Name, Kind: Escalated, Err: err})
			return err
		}
		if ctx.Err() != nil {
			if !errors.Is(err, ctx.Err()) { // it failed on its way out
				r.event(Event{Child: c.Name, Kind: Fault, Err: err})
			}
			break
		}
		r.event(Event{Child: c.Name, Kind: Fault, Err: err})
		if c.progress() > before {
			restart = 0
		}
		restart++
		delay := c.Backoff.Delay(restart)
		r.event(Event{Child: c.Name, Kind: BackingOff, Err: err, Restart: restart, Delay: delay})
		wait(ctx, delay)
	}
	r.event(Event{Child: c.Name, Kind: Stopped})
	return nil
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
