package record

import (
	"sync"
	"time"
)

// history keeps the samples of the last hour: each of the last minutes, and one
// in coarseEvery of those before. Safe for concurrent use.
type history struct {
	mu     sync.Mutex
	fine   ring
	coarse ring
	added  int
}

const (
	fineSamples   = 5 * 60 // with a sample a second: five minutes
	coarseEvery   = 10
	coarseSamples = 3600 / coarseEvery

	// historyParts bounds how much is kept of pipelines with very many stages and
	// channels: so many of them, in all samples together.
	historyParts = 100_000
)

// ring keeps the newest samples.
type ring struct {
	list []Sample
	next int // where the next one goes, once it is full
}

func (r *ring) add(s Sample, most int) {
	if len(r.list) < most {
		r.list = append(r.list, s)
		return
	}
	r.list[r.next] = s
	r.next = (r.next + 1) % len(r.list)
}

func (r *ring) all() []Sample {
	return append(append([]Sample(nil), r.list[r.next:]...), r.list[:r.next]...)
}

func (h *history) add(s Sample) {
	parts := len(s.Stages) + len(s.Channels) + 1
	most := max(historyParts/parts, 120)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fine.add(s, min(fineSamples, most/2))
	if h.added%coarseEvery == 0 {
		h.coarse.add(s, min(coarseSamples, most/2))
	}
	h.added++
}

// Since returns the samples after a time, the oldest first.
func (h *history) Since(after time.Time) []Sample {
	h.mu.Lock()
	fine, coarse := h.fine.all(), h.coarse.all()
	h.mu.Unlock()
	var list []Sample
	for _, s := range coarse {
		if s.Time.After(after) && (len(fine) == 0 || s.Time.Before(fine[0].Time)) {
			list = append(list, s)
		}
	}
	for _, s := range fine {
		if s.Time.After(after) {
			list = append(list, s)
		}
	}
	return list
}
