package record

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// anHour adds a sample a second of an hour of a pipeline with so many stages.
func anHour(h *history, stages int) (end time.Time) {
	end = time.Unix(1_000_000, 0)
	for second := range 3600 {
		end = end.Add(time.Second)
		s := Sample{Time: end, Seconds: 1, State: "running", Stages: make([]StageSample, stages), Channels: make([]ChannelSample, stages)}
		for k := range stages {
			s.Stages[k] = StageSample{Name: "stage", State: "running", Health: fmt.Sprintf("degraded: %d", second)}
			s.Channels[k] = ChannelSample{Stream: "stage", Reader: "reader"}
		}
		h.add(s)
	}
	return end
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// An hour of a large pipeline takes a bounded memory, and another hour takes no more.
func TestAnHourIsBounded(t *testing.T) { // alone: it looks at the memory of the process
	if testing.Short() {
		t.Skip("7 million texts in one goroutine")
	}
	for stages, most := range map[int]uint64{40: 64 << 20, 1000: 128 << 20} {
		before := liveHeap()
		h := &history{}
		anHour(h, stages)
		first := liveHeap() - before
		anHour(h, stages)
		second := liveHeap() - before
		t.Logf("%d stages: %d KiB after an hour, %d KiB after two", stages, first>>10, second>>10)
		if first > most || second > first+first/10 {
			t.Errorf("%d stages: %d KiB after an hour, %d KiB after two", stages, first>>10, second>>10)
		}
		runtime.KeepAlive(h)
	}
}

// Each second of the last minutes is there, and each tenth of the rest, in their order.
func TestWhatIsKeptOfAnHour(t *testing.T) {
	t.Parallel()
	h := &history{}
	end := anHour(h, 4)
	all := h.Since(time.Time{})
	if first := end.Sub(all[0].Time); first < 59*time.Minute || first > time.Hour {
		t.Errorf("the first is %v old", first)
	}
	for k := 1; k < len(all); k++ {
		step, want := all[k].Time.Sub(all[k-1].Time), time.Second
		if end.Sub(all[k-1].Time) >= fineSamples*time.Second {
			want = coarseEvery * time.Second
		}
		if step <= 0 || step > want {
			t.Fatalf("%v before the end: a step of %v", end.Sub(all[k].Time), step)
		}
	}
	if !all[len(all)-1].Time.Equal(end) {
		t.Error("the last one is missing")
	}
	if n := len(h.Since(end.Add(-time.Minute))); n != 60 {
		t.Errorf("%d samples of the last minute", n)
	}
}

// Events are bounded, too, and keep their numbers.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	r := &Recorder{hub: NewHub()}
	for range 10 * eventsKept {
		r.note(Event{Kind: "fault"})
	}
	list := r.EventsAfter(0)
	if len(list) > eventsKept || len(list) < eventsKept/2 || list[len(list)-1].Number != 10*eventsKept {
		t.Errorf("%d events, the last has number %d", len(list), list[len(list)-1].Number)
	}
	if n := len(r.EventsAfter(10*eventsKept - 3)); n != 3 {
		t.Errorf("%d events after the last but three", n)
	}
}
