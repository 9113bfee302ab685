package record

import (
	"errors"
	"fmt"
	"time"

	"penstock/engine/observe"
)

// A Trigger colors a stage or a channel when one of its measures is out of
// bounds: in the graph, on the page, in /metrics and as an event.
//
//	telemetry.Trigger{Stage: "worker", Measure: telemetry.Latency, Above: 0.5, Color: telemetry.Orange}
//	telemetry.Trigger{Stream: "orders", Measure: telemetry.Rate, Statistic: telemetry.Average, Below: 10, Over: time.Minute, Color: telemetry.Red}
type Trigger struct {
	// Name tells it from others, in events and metrics; no two have the same.
	// Default: what it is about, such as "worker latency above 0.5".
	Name string
	// Stage is the stage that it is about, or else Stream the stream, for all of
	// its readers or for Reader alone.
	Stage, Stream, Reader string
	// Measure is what is looked at.
	Measure Measure
	// Statistic is what of the values within Over counts; default Average.
	Statistic Statistic
	// Percent is for Percentile: 99 means that one value of a hundred may be
	// larger. Default 99.
	Percent float64
	// Above and Below are the bounds, in the unit of the measure, or in standard
	// deviations for Deviations. 0 is no bound. Below is looked at as soon as all of
	// Over was seen: nothing flows in the moment of a start.
	Above, Below float64
	// Over is how long a time counts; default Window. What has ended or is stopped
	// is not looked at, and begins anew.
	Over time.Duration
	// Color is what it gives: Yellow, Orange or Red. Default Yellow.
	Color Color
}

// Measure is what a Trigger looks at.
type Measure uint8

const (
	Rate     Measure = iota // messages a second, taken; of a source, emitted
	Fill                    // of a channel, 0 to 1
	Lag                     // messages that wait
	Latency                 // seconds from end to end, p99
	Load                    // share of the time in a stage's functions, 0 to 1
	Restarts                // restarts a minute
)

var measureNames = [...]string{"rate", "fill", "lag", "latency", "load", "restarts"}

// String is the name of the measure.
func (m Measure) String() string { return nameOf(measureNames[:], int(m)) }

// Statistic is what of many values counts.
type Statistic uint8

const (
	Average    Statistic = iota
	Percentile           // see Trigger.Percent
	Deviations           // how many standard deviations the newest is from the average
)

var statisticNames = [...]string{"average", "percentile", "deviations"}

// String is the name of the statistic.
func (s Statistic) String() string { return nameOf(statisticNames[:], int(s)) }

func nameOf(names []string, k int) string {
	if k < len(names) {
		return names[k]
	}
	return "?"
}

// ErrTrigger says that a trigger makes no sense.
var ErrTrigger = errors.New("bad trigger")

func (t Trigger) withDefaults() (Trigger, error) {
	if t.Over <= 0 {
		t.Over = Window
	}
	if t.Color == Green {
		t.Color = Yellow
	}
	if t.Percent == 0 {
		t.Percent = 99
	}
	if t.Name == "" {
		t.Name = t.describe()
	}
	ofStage := t.Stage != ""
	switch {
	case ofStage == (t.Stream != ""):
		return t, fmt.Errorf("%w %s: it must name either a stage or a stream", ErrTrigger, t.Name)
	case ofStage && t.Measure == Fill, !ofStage && (t.Measure == Load || t.Measure == Restarts):
		return t, fmt.Errorf("%w %s: its subject has no measure %v", ErrTrigger, t.Name, t.Measure)
	case int(t.Measure) >= len(measureNames), int(t.Statistic) >= len(statisticNames):
		return t, fmt.Errorf("%w %s: unknown measure or statistic", ErrTrigger, t.Name)
	case t.Above == 0 && t.Below == 0:
		return t, fmt.Errorf("%w %s: it has no bound: set Above or Below", ErrTrigger, t.Name)
	case t.Percent < 0 || t.Percent > 100:
		return t, fmt.Errorf("%w %s: %v is not a percentage", ErrTrigger, t.Name, t.Percent)
	case t.Color > Red:
		return t, fmt.Errorf("%w %s: its colour must be Yellow, Orange or Red", ErrTrigger, t.Name)
	case t.Over > time.Hour:
		return t, fmt.Errorf("%w %s: its window is at most one hour", ErrTrigger, t.Name)
	}
	return t, nil
}

// isAbout says whether a pipeline has what the trigger is about.
func (t Trigger) isAbout(g observe.Graph) bool {
	for _, s := range g.Stages {
		if t.Stage != "" && s.Name == t.Stage {
			return true
		}
	}
	for _, c := range g.Channels {
		if t.Stream != "" && c.Stream == t.Stream && (t.Reader == "" || c.Reader == t.Reader) {
			return true
		}
	}
	return false
}

func (t Trigger) describe() string {
	name := t.Stage + t.Stream
	if t.Reader != "" {
		name += " to " + t.Reader
	}
	switch t.Statistic {
	case Percentile:
		name += fmt.Sprintf(" p%v of", t.Percent)
	case Deviations:
		name += " deviations of"
	}
	name += " " + t.Measure.String()
	if t.Above != 0 {
		name += fmt.Sprintf(" above %v", t.Above)
	}
	if t.Below != 0 {
		name += fmt.Sprintf(" below %v", t.Below)
	}
	return name
}
