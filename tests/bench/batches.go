package main

import (
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// atomicBatch is the server's largest.
	atomicBatch = 1000

	// atomicUnder is how many batches are under way; the server allows 50.
	atomicUnder = 16
)

// batched publishes by atomic batches, of which the server syncs each as one
// and acknowledges the last message only. Reading is that of windowed.
var batched = peer{
	system:    "nats.go by hand, atomic batches",
	guarantee: "at least once: a batch as a whole or not, but a repeated one is doubled; a crash repeats a batch; no state",
	share:     share{"always": 10, "lazy": 10},
	ordered:   true,
	stream:    func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = true },
	send: func(p *program, s sending) (role, error) {
		return publishingSender(p, s, atomicUnder, newBatch)
	},
	relay: func(p *program, r relaying) (role, error) {
		return batchRelay(p, r, atomicUnder, newBatch)
	},
}

// newBatch returns a function that publishes the next of total messages. The
// last one, and each that fills a batch, commits it; nobody waits for that
// here, but published does.
func newBatch(s *byHandSide, topic string, total uint64) func([]byte) error {
	var count uint64
	var id string
	return func(data []byte) error {
		position := count%atomicBatch + 1
		if position == 1 {
			id = nats.NewInbox() // unique
		}
		count++
		m := nats.NewMsg(topic)
		m.Data = data
		m.Header["Nats-Batch-Id"] = []string{id}
		m.Header["Nats-Batch-Sequence"] = []string{strconv.FormatUint(position, 10)}
		var err error
		if position == atomicBatch || count == total {
			m.Header["Nats-Batch-Commit"] = []string{"1"}
			_, err = s.js.PublishMsgAsync(m, stall)
		} else {
			err = s.conn.PublishMsg(m)
		}
		if err != nil {
			return fmt.Errorf("publish to %s in a batch: %w", topic, err)
		}
		return nil
	}
}
