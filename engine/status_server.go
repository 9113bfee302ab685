package engine

import (
	"sync"
	"time"
)

// CheckpointStatus is how the states are kept.
type CheckpointStatus struct {
	Taken       uint64        `json:"taken"` // in this process
	Failed      uint64        `json:"failed"`
	Age         time.Duration `json:"-"`            // since the last one that succeeded, or found nothing new
	AgeSeconds  float64       `json:"age_seconds"`  // the same
	Took        time.Duration `json:"-"`            // the last one with something new
	TookSeconds float64       `json:"took_seconds"` // the same
	Bytes       int64         `json:"bytes"`        // on disk, of all stages
}

// BrokerStatus is how it is with the NATS server.
type BrokerStatus struct {
	Embedded   bool   `json:"embedded"`
	Server     string `json:"server"` // without credentials; "embedded"
	Connected  bool   `json:"connected"`
	Reconnects uint64 `json:"reconnects"` // outages that ended, in this process
}

// pastCheckpoints are what was done so far. Safe for concurrent use.
type pastCheckpoints struct {
	mu            sync.Mutex
	taken, failed uint64
	last          time.Time
	took          time.Duration // the last one with something new
	bytes         int64
}

func (c *pastCheckpoints) status() *CheckpointStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := CheckpointStatus{Taken: c.taken, Failed: c.failed, Took: c.took, Bytes: c.bytes}
	if !c.last.IsZero() {
		s.Age = time.Since(c.last)
	}
	s.AgeSeconds, s.TookSeconds = s.Age.Seconds(), s.Took.Seconds()
	return &s
}

// note keeps how a checkpoint went.
func (c *pastCheckpoints) note(began time.Time, wrote bool, bytes int64, err error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.failed++
		return
	case wrote:
		c.taken++
		c.took = now.Sub(began)
	}
	c.last, c.bytes = now, bytes
}

func (r *run) brokerStatus() *BrokerStatus {
	b := r.server
	return &BrokerStatus{Embedded: b.Embedded(), Server: b.Server(), Connected: b.Connected(), Reconnects: b.Reconnects()}
}
