package channel

import "github.com/nats-io/nats.go"

// Trace leads from a frame to the span that it was made in, in the words of W3C Trace Context. It travels in the
// headers of the frame's message, so it is kept as long as the frame is. A channel does not look into it. The zero
// value is none.
type Trace struct {
	Parent string // traceparent
	State  string // tracestate
}

const (
	parentHeader = "traceparent"
	stateHeader  = "tracestate"

	// maxTrace is how long either may be, in bytes: W3C asks for no more to be passed on. A longer one is left out.
	maxTrace = 512

	traceOverhead = len(parentHeader) + len(stateHeader) + len(": \r\n: \r\n")
)

// addTo writes the headers, and tells how many bytes they take.
func (t Trace) addTo(header nats.Header) int {
	if t.Parent == "" || len(t.Parent) > maxTrace {
		return 0
	}
	header[parentHeader] = []string{t.Parent}
	if t.State == "" || len(t.State) > maxTrace {
		return traceOverhead + len(t.Parent)
	}
	header[stateHeader] = []string{t.State}
	return traceOverhead + len(t.Parent) + len(t.State)
}

func traceOf(header nats.Header) (t Trace) {
	if parent := header[parentHeader]; len(parent) == 1 && len(parent[0]) <= maxTrace {
		t.Parent = parent[0]
	}
	if state := header[stateHeader]; t.Parent != "" && len(state) == 1 && len(state[0]) <= maxTrace {
		t.State = state[0]
	}
	return t
}
