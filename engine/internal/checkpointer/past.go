package checkpointer

import (
	"sync"
	"time"

	"penstock/engine/observe"
)

// Past is what was done so far. Safe for concurrent use.
type Past struct {
	mu            sync.Mutex
	taken, failed uint64
	last          time.Time
	took          time.Duration // the last one with something new
	bytes         int64
}

func (c *Past) Status() *observe.CheckpointStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := observe.CheckpointStatus{Taken: c.taken, Failed: c.failed, Took: c.took, Bytes: c.bytes}
	if !c.last.IsZero() {
		s.Age = time.Since(c.last)
	}
	s.AgeSeconds, s.TookSeconds = s.Age.Seconds(), s.Took.Seconds()
	return &s
}

// note keeps how a checkpoint went.
func (c *Past) note(began time.Time, wrote bool, bytes int64, err error) {
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
