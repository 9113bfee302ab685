package engine

import (
	"errors"
	"sync/atomic"
)

// hold says in whose code the loop of a session is. Only while it is in the
// user's code can the session be abandoned: our own code comes back by itself
// when its context is done, and the user's finds the session closed when it
// does. So whatever has an effect happens in a session that is not abandoned.
type hold struct{ state atomic.Int32 }

const (
	inOurCode int32 = iota
	inTheirCode
	isAbandoned
)

// errAbandoned ends what a function does that came back too late.
var errAbandoned = errors.New("abandoned")

// begin makes up for a function that ended its goroutine.
func (h *hold) begin() { h.state.CompareAndSwap(inTheirCode, inOurCode) }

func (h *hold) enter() { h.state.CompareAndSwap(inOurCode, inTheirCode) }

// leave is false when the session was abandoned in between.
func (h *hold) leave() bool { return h.state.CompareAndSwap(inTheirCode, inOurCode) }

func (h *hold) abandon() bool { return h.state.CompareAndSwap(inTheirCode, isAbandoned) }

func (h *hold) abandoned() bool { return h.state.Load() == isAbandoned }

// Units of calls that are not tried again.
const (
	restoreUnit = "restore"
	stopUnit    = "stop"
	handlerUnit = "recovery handler"
)
