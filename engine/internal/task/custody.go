package task

import (
	"errors"
	"sync/atomic"
)

// custody says in whose code the loop of a task is. Only while it is in the
// user's code can the task be abandoned: our own code comes back by itself
// when its context is done, and the user's finds the task closed when it
// does. So whatever has an effect happens in a task that is not abandoned.
type custody struct{ state atomic.Int32 }

const (
	inOurCode int32 = iota
	inTheirCode
	isAbandoned
)

// errAbandoned ends what a function does that came back too late.
var errAbandoned = errors.New("abandoned")

// Begin makes up for a function that ended its goroutine.
func (h *custody) Begin() { h.state.CompareAndSwap(inTheirCode, inOurCode) }

func (h *custody) enter() { h.state.CompareAndSwap(inOurCode, inTheirCode) }

// leave is false when the task was abandoned in between.
func (h *custody) leave() bool { return h.state.CompareAndSwap(inTheirCode, inOurCode) }

func (h *custody) abandon() bool { return h.state.CompareAndSwap(inTheirCode, isAbandoned) }

func (h *custody) Abandoned() bool { return h.state.Load() == isAbandoned }

// Units of calls that are not tried again.
const (
	restoreUnit = "restore"
	stopUnit    = "stop"
	handlerUnit = "recovery handler"
)
