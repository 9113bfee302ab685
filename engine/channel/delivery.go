package channel

import "penstock/engine/frame"

// Delivery is a frame, as far as it concerns the reader.
type Delivery struct {
	Sequence uint64        // everything up to it was looked at
	Section  frame.Section // zero when the frame has no messages for the reader
	Skip     uint64        // so many messages of Section come before the position
	Epoch    uint64
	Ended    bool // the writer has ended its run. May come again, and messages may follow in another run
	Size     int  // bytes of the whole frame, which Section keeps in memory
	Trace    Trace
}
