package engine

import (
	"context"
	"fmt"
	"io"
	"time"
)

// dueTimer returns a timer of Every that is due, or -1.
func (in *instance) dueTimer() int {
	if len(in.timers) == 0 {
		return -1
	}
	now := time.Now().UnixNano()
	for t, due := range in.timers {
		if due <= now {
			return t
		}
	}
	return -1
}

func (in *instance) callTimer(ctx context.Context, timer int) error {
	now := time.Now()
	in.unit = fmt.Sprintf("timer:%d", timer)
	in.attempt = in.nextTry(in.unit)
	in.current = nil
	in.batch.begin(now.UnixNano())
	err := in.machine.callTimer(ctx, timer, now)
	if in.batch.callErr != nil && (err == nil || err == io.EOF) {
		err = in.batch.callErr
	}
	if err != nil && err != io.EOF {
		return err
	}
	in.ending = in.ending || err == io.EOF
	in.succeeded(in.unit)
	in.timers[timer] = nextTick(in.timers[timer], in.definition.timers[timer], now)
	in.moved(nil, false)
	return nil
}

// nextTick keeps to the beat, and leaves out ticks that were missed.
func nextTick(due int64, every time.Duration, now time.Time) int64 {
	next := due + int64(every)
	if late := now.UnixNano() - next; late > 0 {
		next += (late/int64(every) + 1) * int64(every)
	}
	return next
}
