package main

import (
	"context"
	"time"
)

// pace is a steady rate of messages, which begins at the first wait.
type pace struct {
	rate  int
	total uint64
	start time.Time
}

func newPace(rate int, length time.Duration) *pace {
	return &pace{rate: rate, total: uint64(float64(rate) * length.Seconds())}
}

// due is when message i is to be sent.
func (p *pace) due(i uint64) time.Time {
	return p.start.Add(time.Duration(float64(i) * float64(time.Second) / float64(p.rate)))
}

// wait returns the time when message i is due, or a later one. A timer may be
// a millisecond late; the messages due until then are sent together.
func (p *pace) wait(ctx context.Context, i uint64) (time.Time, error) {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	now := time.Now()
	if early := p.due(i).Sub(now); early > 0 {
		timer := time.NewTimer(early)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return now, ctx.Err()
		}
		now = time.Now()
	}
	return now, nil
}
