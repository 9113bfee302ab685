package record

import (
	"runtime/metrics"
	"time"
)

// processMeter reads what the process uses.
type processMeter struct {
	cpu time.Duration
	at  time.Time
}

const (
	heapLive        = "/gc/heap/live:bytes"
	goroutinesCount = "/sched/goroutines:goroutines"
)

func (m *processMeter) read(now time.Time) ProcessSample {
	samples := []metrics.Sample{{Name: heapLive}, {Name: goroutinesCount}}
	metrics.Read(samples)
	out := ProcessSample{
		Resident:   residentMemory(),
		Heap:       int64(samples[0].Value.Uint64()),
		Goroutines: int(samples[1].Value.Uint64()),
	}
	cpu := processorTime()
	if seconds := now.Sub(m.at).Seconds(); !m.at.IsZero() && seconds > 0 {
		out.CPU = max((cpu-m.cpu).Seconds()/seconds, 0)
	}
	m.cpu, m.at = cpu, now
	return out
}
