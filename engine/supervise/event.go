package supervise

import (
	"fmt"
	"time"
)

// EventKind says what happened to a child.
type EventKind uint8

// A child's life: Starting, any number of rounds of Fault, BackingOff and Restarting, and at the end Stopped or Escalated.
const (
	Starting   EventKind = iota // it is started for the first time
	Fault                       // it failed, see Err
	BackingOff                  // it is started again after Delay
	Restarting                  // it is started again now
	Stopped                     // it ended for good, or was told to stop
	Escalated                   // it failed in a way that stops the supervisor, see Err
)

var kindNames = [...]string{"starting", "fault", "backing off", "restarting", "stopped", "escalated"}

// String returns the kind in plain lower-case words.
func (k EventKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("event kind %d", uint8(k))
}

// Event is one step in a child's life.
type Event struct {
	Time    time.Time
	Child   string
	Kind    EventKind
	Err     error         // of Fault, BackingOff and Escalated
	Restart int           // of BackingOff and Restarting: number of the restart since the last progress, from 1
	Delay   time.Duration // of BackingOff
}
