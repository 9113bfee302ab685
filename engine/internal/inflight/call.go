package inflight

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

// Kind says what an instance is doing.
type Kind uint8

const (
	None    Kind = iota // nothing that is the user's
	Message             // a function has one message
	Batch               // a function has several messages
	Replay              // a function has a message that comes back from the dead letters
	Timer               // a timer's function
	Source              // a step of a source
	Hook                // any other function of the user's: start, end, recovery …
	After               // none: a message was handled, and what it started may still do harm
)

var kindNames = [...]string{"none", "message", "batch", "replay", "timer", "source", "hook", "after"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Call is what an instance was doing when its process died.
type Call struct {
	Kind   Kind
	Input  uint32    // of messages: the index of the input
	Offset uint64    // of messages: the first one's; of others: what Enter was given
	Count  uint64    // of messages: how many
	Since  time.Time // when it began, at most a [Tick] too early
}

func (c Call) String() string {
	return fmt.Sprintf("%s of input %d, %d from offset %d", c.Kind, c.Input, c.Count, c.Offset)
}

// leftMark tells the sum of a call that returned from that of one under way.
const leftMark = 0x6c65667421

// decodeSlot returns the call that is under way in a slot, or the last one: none if there is none, or if what is there
// does not fit.
func decodeSlot(slot []byte, seed uint64) (c Call, left, found bool) {
	var w [words]uint64
	for i := range w {
		w[i] = binary.NativeEndian.Uint64(slot[8*i:])
	}
	sum := checksum(seed, w[wordWhat], w[wordOffset], w[wordCount], w[wordSince])
	left = w[wordSum] == sum^leftMark
	if w[wordSum] != sum && !left || Kind(uint32(w[wordWhat])) == None {
		return Call{}, false, false
	}
	return Call{
		Kind:   Kind(w[wordWhat]),
		Input:  uint32(w[wordWhat] >> 32),
		Offset: w[wordOffset],
		Count:  w[wordCount],
		Since:  time.Unix(0, int64(w[wordSince])),
	}, left, true
}
