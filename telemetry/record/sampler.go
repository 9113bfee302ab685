package record

import (
	"time"

	"penstock/engine"
	"penstock/engine/measure"
	"penstock/engine/observe"
)

// pipeline is what the sampler has to know of one: *engine.Pipeline.
type pipeline interface {
	Status() observe.Status
	Measures() []observe.StageMeasures
}

var _ pipeline = (*engine.Pipeline)(nil)

// sampler makes samples of a pipeline. It is for one goroutine.
type sampler struct {
	pipeline pipeline
	process  processMeter
	before   observe.Status
	at       time.Time
	past     map[string]*pastMeasures // by stage
}

func newSampler(p pipeline) *sampler {
	return &sampler{pipeline: p, past: map[string]*pastMeasures{}}
}

// pastMeasures are the measures of a stage at the last samples, the oldest first.
type pastMeasures struct {
	list []timedMeasures
}

type timedMeasures struct {
	at time.Time
	observe.StageMeasures
}

// sample is the pipeline as it is now.
func (s *sampler) sample(now time.Time) Sample {
	status := s.pipeline.Status()
	seconds := 0.0
	if !s.at.IsZero() {
		seconds = now.Sub(s.at).Seconds()
	}
	out := Sample{
		Time: now, Seconds: seconds, State: stateOf(status), Process: s.process.read(now),
		Stages: make([]StageSample, len(status.Stages)), Channels: make([]ChannelSample, len(status.Channels)),
	}
	for k := range status.Stages {
		out.Stages[k] = s.stage(&status.Stages[k], seconds)
	}
	for k := range status.Channels {
		out.Channels[k] = s.channel(&status.Channels[k], seconds)
	}
	s.spreads(&out, now)
	addServers(&out, &status)
	s.before, s.at = status, now
	return out
}

func stateOf(s observe.Status) string {
	switch {
	case s.Completed:
		return "complete"
	case len(s.Stages) == 0:
		return "starting"
	}
	for _, stage := range s.Stages {
		if stage.State != "stopped" && stage.State != "ended" {
			return "running"
		}
	}
	return "stopped"
}

func (s *sampler) stage(now *observe.StageStatus, seconds float64) StageSample {
	out := StageSample{
		Name: now.Name, State: now.State, Health: now.Health, Breaker: now.Breaker,
		Color: colorOfStage(now.State, now.Health, now.Breaker), Waits: overdue(now.Waits),
		In: now.In, Out: now.Out, Restarts: now.Restarts, Faults: now.Panics + now.Errors + now.Unhealthy,
		Attempts: now.FailedAttempts, DeadLetters: now.DeadLetters, Commits: now.Commits, Epoch: now.Epoch, Lag: now.Lag, Waiting: now.Waiting,
		StateBytes: now.StateBytes, Uptime: now.UptimeSeconds, Counts: rareCounts(&now.StageCounts),
	}
	if len(out.Waits) > 0 && out.Color < Orange {
		out.Color = Orange
	}
	for k := range s.before.Stages {
		if before := &s.before.Stages[k]; before.Name == now.Name && seconds > 0 {
			out.InRate = rate(before.In, now.In, seconds)
			out.OutRate = rate(before.Out, now.Out, seconds)
			out.Busy = min(max((now.Busy-before.Busy).Seconds()/seconds/float64(max(len(now.Partitions), 1)), 0), 1)
		}
	}
	return out
}

var counters = observe.StageCounters()

func rareCounts(counts *observe.StageCounts) (list []observe.Count) {
	for _, c := range counters {
		if n := c.Total(counts); c.Rare && n > 0 {
			list = append(list, observe.Count{Of: c.Key, N: n})
		}
	}
	return list
}

// overdue are the waits that last too long.
func overdue(list []observe.Wait) (waits []string) {
	for _, wait := range list {
		if wait.Overdue {
			waits = append(waits, wait.String())
		}
	}
	return waits
}

// rate is how much something grew a second; 0 when it began anew.
func rate(before, now uint64, seconds float64) float64 {
	if now < before {
		return 0
	}
	return float64(now-before) / seconds
}

func (s *sampler) channel(now *observe.ChannelStatus, seconds float64) ChannelSample {
	out := ChannelSample{
		Stream: now.Stream, Reader: now.Reader, Color: colorOfFill(now.Fill), Written: now.Written, Taken: now.Taken,
		Lag: now.Lag(), Fill: now.Fill, Oldest: now.OldestSeconds, Bytes: now.StoredBytes, Waiting: now.Waiting, Held: now.Held,
	}
	for k := range s.before.Channels {
		if before := &s.before.Channels[k]; before.Stream == now.Stream && before.Reader == now.Reader && seconds > 0 {
			out.Rate = rate(before.Taken, now.Taken, seconds)
		}
	}
	return out
}

// spreads tells of the last Window, as far as there are samples of it.
func (s *sampler) spreads(out *Sample, now time.Time) {
	for _, m := range s.pipeline.Measures() {
		base := s.base(m, now)
		for k := range out.Stages {
			if stage := &out.Stages[k]; stage.Name == m.Stage {
				stage.Call = spreadOf(m.Calls.Since(base.Calls))
				stage.Latency = spreadOf(m.Ages.Since(base.Ages))
				stage.Commit = spreadOf(m.Commits.Since(base.Commits))
				stage.Batch = spreadOf(m.Batches.Since(base.Batches))
			}
		}
		for k := range out.Channels {
			if c := &out.Channels[k]; c.Reader == m.Stage {
				c.Latency = spreadOf(agesOf(m, c.Stream).Since(agesOf(base, c.Stream)))
			}
		}
	}
}

// base returns the measures of a stage as they were a Window ago, and keeps those
// of now.
func (s *sampler) base(m observe.StageMeasures, now time.Time) (base observe.StageMeasures) {
	past := s.past[m.Stage]
	if past == nil {
		past = &pastMeasures{}
		s.past[m.Stage] = past
	}
	for len(past.list) > 1 && now.Sub(past.list[1].at) >= Window {
		past.list = past.list[1:]
	}
	if len(past.list) > 0 && past.list[0].Commits.Count <= m.Commits.Count { // else it is another run
		base = past.list[0].StageMeasures
	}
	past.list = append(past.list, timedMeasures{now, m})
	return base
}

func agesOf(m observe.StageMeasures, stream string) measure.Snapshot {
	for _, i := range m.Inputs {
		if i.Stream == stream {
			return i.Ages
		}
	}
	return measure.Snapshot{}
}

func spreadOf(s measure.Snapshot) Spread {
	return Spread{
		Count: s.Count, Mean: s.Mean(), Deviation: s.Deviation(),
		P50: s.Quantile(0.50), P95: s.Quantile(0.95), P99: s.Quantile(0.99), Max: s.Max,
	}
}

func addServers(out *Sample, status *observe.Status) {
	if d := status.Disk; d != nil {
		out.Disk = &DiskSample{State: d.State, Used: d.Used, Free: d.Free, Bound: d.Bound}
	}
	if b := status.Broker; b != nil {
		out.Broker = &BrokerSample{Server: b.Server, Connected: b.Connected, Reconnects: b.Reconnects}
	}
	if c := status.Checkpoint; c != nil {
		out.Checkpoint = &CheckpointSample{Age: c.AgeSeconds, Took: c.TookSeconds, Bytes: c.Bytes}
	}
}
