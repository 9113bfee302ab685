package wall

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// shift is how many seconds the clock was put forward.
var shift atomic.Int64

// Now is [time.Now], as of the clock that was shifted.
func Now() time.Time {
	now := time.Now()
	if s := shift.Load(); s != 0 {
		return Jumped(now, time.Duration(s)*time.Second)
	}
	return now
}

// Shift puts the clock forward, or back by a negative duration, in whole seconds. It is safe for concurrent use.
func Shift(d time.Duration) { shift.Add(int64(d / time.Second)) }

// Package time changes the wall reading of a time only together with its monotonic one. So this does it by hand: a
// time that has both keeps, in the first word, the seconds since 1885 in 33 bits above 30 bits of nanoseconds.
const (
	hasMonotonic = 1 << 63
	secondsMask  = 1<<33 - 1
	secondsShift = 30
)

// Jumped is a time after the clock jumped by d, of which whole seconds count.
func Jumped(t time.Time, d time.Duration) time.Time {
	word := (*uint64)(unsafe.Pointer(&t))
	if *word&hasMonotonic == 0 {
		return t.Add(d.Truncate(time.Second))
	}
	seconds := int64(*word>>secondsShift&secondsMask) + int64(d/time.Second)
	*word = *word&^(secondsMask<<secondsShift) | uint64(seconds)&secondsMask<<secondsShift
	return t
}
