package jetstream

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"penstock/engine"
)

// MarkHeader is the header in which a sink with ExpectLast writes what a message was made of:
//
//	Penstock-From: 1 orders.publish RUN EPOCH STREAM OFFSET REPLAY
const MarkHeader = "Penstock-From"

const markVersion = "1"

// mark says which delivery a message of the sink is, and who wrote it.
type mark struct {
	writer   string // pipeline and stage
	epoch    uint64 // of the owner
	delivery engine.Delivery
}

func (m mark) String() string {
	d := m.delivery
	return fmt.Sprintf("%s %s %s %d %s %d %d", markVersion, m.writer, d.Run, m.epoch, d.Stream, d.Offset, d.Replay)
}

// markOf reads that of a message. found is false if it has none, or not one of this version.
func markOf(header nats.Header) (m mark, found bool) {
	fields := strings.Fields(header.Get(MarkHeader))
	if len(fields) != 7 || fields[0] != markVersion {
		return m, false
	}
	m.writer, m.delivery.Run, m.delivery.Stream = fields[1], fields[2], fields[4]
	for k, to := range map[int]*uint64{3: &m.epoch, 5: &m.delivery.Offset, 6: &m.delivery.Replay} {
		n, err := strconv.ParseUint(fields[k], 10, 64)
		if err != nil {
			return m, false
		}
		*to = n
	}
	return m, true
}

// Delivery makes it something that positions can take.
func (m mark) Delivery() engine.Delivery { return m.delivery }
