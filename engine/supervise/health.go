package supervise

import (
	"context"
	"fmt"
	"time"

	"penstock/internal/counted"
)

// Check asks a child at intervals how it is. A child that fails it often enough is stopped, abandoned if it hangs, and
// then treated like any that failed, with the reason Unhealthy.
type Check struct {
	Name string // default "health"
	// Probe finds out. It runs in a goroutine of its own, one at a time, with a context that ends after Timeout and with
	// the child's. Not answering in time and panicking are failures. While one still hangs, no further one starts, and
	// each interval counts one more failure. Required.
	Probe     func(ctx context.Context) Health
	Interval  time.Duration // from one to the next, and from the child's Running, or its start, to the first; default 10 s
	Timeout   time.Duration // default 5 s
	Threshold int           // consecutive failures that are too many; default 3
}

func (c *Check) name() string {
	if c.Name == "" {
		return "health"
	}
	return c.Name
}

func (c Check) withDefaults() Check {
	c.Name = c.name()
	if c.Interval <= 0 {
		c.Interval = 10 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Threshold <= 0 {
		c.Threshold = 3
	}
	return c
}

// Level says how well a child is.
type Level uint8

const (
	LevelHealthy   Level = iota
	LevelDegraded        // it does its work, but not as it should; never restarts it, and ends a run of failures
	LevelUnhealthy       // it does not do its work
)

var levelNames = [...]string{"healthy", "degraded", "unhealthy"}

// String returns the level in plain lower-case words.
func (l Level) String() string { return nameOf(levelNames[:], "level", uint8(l)) }

// Health is the answer to a probe. The zero value is healthy.
type Health struct {
	Level  Level
	Reason string
	Err    error // what Reason is the text of; nil: of none
	// Uncounted: if this ends the child no Limit counts it, because the caller bounds how often it comes; as the
	// function Uncounted says of errors.
	Uncounted bool
}

// Well is the answer of a healthy child.
func Well() Health { return Health{} }

// Degraded is the answer of a child that does its work, but not as it should.
func Degraded(reason string) Health { return Health{Level: LevelDegraded, Reason: reason} }

// Unwell is the answer of a child that does not do its work.
func Unwell(reason string) Health { return Health{Level: LevelUnhealthy, Reason: reason} }

// String returns the level and, after a colon, the reason if there is one.
func (h Health) String() string {
	if h.Reason == "" {
		return h.Level.String()
	}
	return h.Level.String() + ": " + h.Reason
}

// UnhealthyError says why a child was stopped: it failed a check too often. context.Cause returns it, itself and not
// wrapped, for the context of that child. Recognize it by a type assertion, not by errors.As: if its failure ends the
// group, the siblings' cause is the error of the group, which wraps it although they are well.
type UnhealthyError struct {
	Check    string
	Reason   string // of the last failure
	Failures int    // consecutive
	// Uncounted: no Limit counts it; see Health.
	Uncounted bool
}

// Error names the check, the number of failures and the last one's reason.
func (e *UnhealthyError) Error() string {
	return fmt.Sprintf("unhealthy: check %q failed %s: %s", e.Check, counted.Things(e.Failures, "time"), e.Reason)
}
