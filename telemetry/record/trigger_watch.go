package record

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"penstock/engine/observe"
	"penstock/telemetry/internal/text"
)

// triggers watches all of them. look is for one goroutine.
type triggers struct {
	list []*watched
	tell func(Event)
}

// watched is a trigger with what it has seen, by channel or stage.
type watched struct {
	Trigger
	series map[string]*series
	out    atomic.Int64 // stages or channels that are out of bounds
}

// series are the values of the time that counts.
type series struct {
	since  time.Time // of the first that was seen
	times  []time.Time
	values []float64
	isOn   bool
}

// newTriggers refuses what makes no sense for a pipeline.
func newTriggers(list []Trigger, g observe.Graph, tell func(Event)) (*triggers, error) {
	all, names := &triggers{tell: tell}, map[string]bool{}
	for _, t := range list {
		t, err := t.withDefaults()
		switch {
		case err != nil:
			return nil, err
		case !t.isAbout(g):
			return nil, fmt.Errorf("%w %s: the pipeline %s has no such stage or channel", ErrTrigger, t.Name, g.Pipeline)
		case names[t.Name]:
			return nil, fmt.Errorf("%w %s: another trigger has that name: set Name", ErrTrigger, t.Name)
		}
		names[t.Name] = true
		all.list = append(all.list, &watched{Trigger: t, series: map[string]*series{}})
	}
	return all, nil
}

// look colors what is out of bounds in a sample, and tells of changes.
func (all *triggers) look(s *Sample) {
	for _, t := range all.list {
		out := 0
		if t.Stage != "" {
			for k := range s.Stages {
				if stage := &s.Stages[k]; stage.Name == t.Stage && all.see(t, s.Time, stage.Name, "", t.ofStage(stage, s.Seconds), &stage.Color) {
					stage.Triggers = append(stage.Triggers, t.Name)
					out++
				}
			}
		}
		for k := range s.Channels {
			c := &s.Channels[k]
			if c.Stream == t.Stream && (t.Reader == "" || t.Reader == c.Reader) && all.see(t, s.Time, c.Stream, c.Reader, t.ofChannel(c), &c.Color) {
				c.Triggers = append(c.Triggers, t.Name)
				out++
			}
		}
		t.out.Store(int64(out))
	}
}

// each calls fn with every trigger, and with how many stages or channels it finds out of bounds.
func (all *triggers) each(fn func(t Trigger, out int64)) {
	for _, t := range all.list {
		fn(t.Trigger, t.out.Load())
	}
}

// see says whether a value puts a stage or channel out of bounds.
func (all *triggers) see(t *watched, now time.Time, name, reader string, value float64, color *Color) bool {
	key := name + ">" + reader
	s := t.series[key]
	if s == nil {
		s = &series{}
		t.series[key] = s
	}
	was := s.isOn
	if *color == Grey {
		*s = series{}
	} else {
		s.add(now, value, t.Over)
		s.isOn = t.isOut(s)
	}
	if s.isOn {
		*color = max(*color, t.Color)
	}
	if s.isOn != was {
		all.tell(t.event(now, name, s))
	}
	return s.isOn
}

func (t *watched) event(now time.Time, name string, s *series) Event {
	switch {
	case s.isOn:
		return Event{Time: now, Stage: name, Kind: "trigger", Detail: fmt.Sprintf("%s: %v %s", t.Name, t.Statistic, text.Short(t.of(s))), Color: t.Color}
	case len(s.values) == 0:
		return Event{Time: now, Stage: name, Kind: "trigger over", Detail: t.Name + ": it ended, or was stopped", Color: Green}
	}
	return Event{Time: now, Stage: name, Kind: "trigger over", Detail: fmt.Sprintf("%s: %v %s", t.Name, t.Statistic, text.Short(t.of(s))), Color: Green}
}

func (t *watched) ofStage(s *StageSample, seconds float64) float64 {
	switch t.Measure {
	case Rate:
		if s.In == 0 {
			return max(s.InRate, s.OutRate)
		}
		return s.InRate
	case Lag:
		return float64(s.Lag)
	case Latency:
		return s.Latency.P99
	case Load:
		return s.Busy
	}
	before, known := t.series["restarts of "+s.Name]
	if !known {
		before = &series{values: []float64{float64(s.Restarts)}}
		t.series["restarts of "+s.Name] = before
	}
	grown := float64(s.Restarts) - before.values[0]
	before.values[0] = float64(s.Restarts)
	if seconds <= 0 || grown < 0 {
		return 0
	}
	return grown / seconds * 60
}

func (t *watched) ofChannel(c *ChannelSample) float64 {
	switch t.Measure {
	case Rate:
		return c.Rate
	case Fill:
		return c.Fill
	case Latency:
		return c.Latency.P99
	}
	return float64(c.Lag)
}

func (s *series) add(now time.Time, value float64, over time.Duration) {
	if s.since.IsZero() {
		s.since = now
	}
	s.times, s.values = append(s.times, now), append(s.values, value)
	first := 0
	for first < len(s.times)-1 && now.Sub(s.times[first]) > over {
		first++
	}
	s.times, s.values = slices.Delete(s.times, 0, first), slices.Delete(s.values, 0, first)
}

// of is the statistic.
func (t *watched) of(s *series) float64 {
	switch t.Statistic {
	case Percentile:
		sorted := slices.Sorted(slices.Values(s.values))
		return sorted[min(int(float64(len(sorted))*t.Percent/100), len(sorted)-1)]
	case Deviations:
		mean, deviation := meanOf(s.values)
		if deviation == 0 {
			return 0
		}
		return (s.values[len(s.values)-1] - mean) / deviation
	}
	mean, _ := meanOf(s.values)
	return mean
}

func meanOf(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(values)))
}

func (t *watched) isOut(s *series) bool {
	v, newest := t.of(s), s.times[len(s.times)-1]
	return t.Above != 0 && v > t.Above || t.Below != 0 && v < t.Below && newest.Sub(s.since) >= t.Over
}
