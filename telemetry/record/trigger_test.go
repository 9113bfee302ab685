package record

import (
	"errors"
	"slices"
	"testing"
	"time"

	"penstock/engine/observe"
)

// somePipeline has a stage s, and channels a to x and y, and b to y.
var somePipeline = observe.Graph{
	Pipeline: "some", Stages: []observe.GraphStage{{Name: "s"}},
	Channels: []observe.GraphChannel{{Stream: "a", Reader: "x"}, {Stream: "a", Reader: "y"}, {Stream: "b", Reader: "y"}},
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1_000_000, 0)
	for name, test := range map[string]struct {
		trigger Trigger
		values  []float64 // a second apart
		on      []int     // at which of them it is on
	}{
		"average above":    {Trigger{Stage: "s", Measure: Load, Above: 0.5, Over: 2 * time.Second}, []float64{0, 1, 1, 1, 0, 0, 0}, []int{2, 3, 4}},
		"average below":    {Trigger{Stage: "s", Measure: Load, Below: 0.5, Over: time.Second}, []float64{1, 1, 0, 0, 1}, []int{3}},
		"below at a start": {Trigger{Stage: "s", Measure: Load, Below: 0.5, Over: 2 * time.Second}, []float64{0, 0, 0, 1, 1, 0, 0}, []int{2, 3, 6}},
		"percentile above": {Trigger{Stage: "s", Measure: Load, Statistic: Percentile, Percent: 50, Above: 0.5, Over: 2 * time.Second}, []float64{1, 0, 0, 1, 1, 0}, []int{0, 1, 4, 5}},
		"deviations above": {Trigger{Stage: "s", Measure: Load, Statistic: Deviations, Above: 1.9, Over: time.Minute}, []float64{0, 0, 0, 0, 0, 9, 0}, []int{5}},
		"both bounds":      {Trigger{Stage: "s", Measure: Load, Above: 0.8, Below: 0.2, Over: time.Millisecond}, []float64{0.5, 0.1, 0.5, 0.9}, []int{1, 3}},
	} {
		var told []Event
		all, err := newTriggers([]Trigger{test.trigger}, somePipeline, func(e Event) { told = append(told, e) })
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var on []int
		for k, v := range test.values {
			s := Sample{Time: begin.Add(time.Duration(k) * time.Second), Seconds: 1, Stages: []StageSample{{Name: "s", Busy: v}}}
			if all.look(&s); s.Stages[0].Color == Yellow {
				on = append(on, k)
			}
		}
		if !slices.Equal(on, test.on) {
			t.Errorf("%s: on at %v, want %v", name, on, test.on)
		}
		if len(told) == 0 || told[0].Kind != "trigger" || told[0].Stage != "s" {
			t.Errorf("%s: told %+v", name, told)
		}
	}
}

func TestATriggerNeverHidesWhatIsWorse(t *testing.T) {
	t.Parallel()
	all, err := newTriggers([]Trigger{{Stream: "a", Measure: Fill, Above: 0.1, Color: Orange}}, somePipeline, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	s := Sample{Channels: []ChannelSample{
		{Stream: "a", Reader: "x", Fill: 0.5, Color: Red}, {Stream: "a", Reader: "y", Fill: 0.5, Color: Green}, {Stream: "b", Reader: "y", Fill: 0.5},
	}}
	all.look(&s)
	for k, want := range []Color{Red, Orange, Green} {
		if c := s.Channels[k]; c.Color != want || len(c.Triggers) != map[string]int{"a": 1}[c.Stream] {
			t.Errorf("%+v, want %v", c, want)
		}
	}
	outOf := func() (n int64) {
		all.each(func(_ Trigger, out int64) { n += out })
		return n
	}
	if n := outOf(); n != 2 {
		t.Errorf("%d are out of bounds", n)
	}
	s = Sample{Channels: []ChannelSample{{Stream: "a", Reader: "x"}, {Stream: "a", Reader: "y"}}}
	for range 20 { // seconds
		s.Time = s.Time.Add(time.Second)
		all.look(&s)
	}
	if n := outOf(); n != 0 {
		t.Errorf("%d are out of bounds when nothing is", n)
	}
}

// What is stopped or has ended is neither colored nor told about, and begins anew.
func TestATriggerLeavesWhatIsStopped(t *testing.T) {
	t.Parallel()
	var told []string
	all, err := newTriggers([]Trigger{{Name: "busy", Stage: "s", Measure: Load, Above: 0.5}}, somePipeline, func(e Event) { told = append(told, e.Kind) })
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_000_000, 0)
	for _, color := range []Color{Green, Grey, Grey, Green} {
		at = at.Add(time.Second)
		s := Sample{Time: at, Stages: []StageSample{{Name: "s", Busy: 1, Color: color}}}
		all.look(&s)
		if out := len(s.Stages[0].Triggers) == 1; out == (color == Grey) || (s.Stages[0].Color == Yellow) != out {
			t.Errorf("%v became %+v", color, s.Stages[0])
		}
	}
	if !slices.Equal(told, []string{"trigger", "trigger over", "trigger"}) {
		t.Error("told", told)
	}
}

func TestBadTriggers(t *testing.T) {
	t.Parallel()
	for name, trigger := range map[string]Trigger{
		"about nothing":      {Above: 1},
		"about two":          {Stage: "s", Stream: "c", Above: 1},
		"no bound":           {Stage: "s"},
		"fill of a stage":    {Stage: "s", Measure: Fill, Above: 1},
		"load of a channel":  {Stream: "a", Measure: Load, Above: 1},
		"unknown measure":    {Stage: "s", Measure: 99, Above: 1},
		"unknown statistic":  {Stage: "s", Statistic: 99, Above: 1},
		"percentage":         {Stage: "s", Percent: 101, Above: 1},
		"grey":               {Stage: "s", Above: 1, Color: Grey},
		"no such stage":      {Stage: "t", Above: 1},
		"no such stream":     {Stream: "c", Above: 1},
		"no such reader":     {Stream: "b", Reader: "x", Above: 1},
		"longer than memory": {Stage: "s", Over: 2 * time.Hour, Above: 1},
	} {
		if _, err := newTriggers([]Trigger{trigger}, somePipeline, nil); !errors.Is(err, ErrTrigger) {
			t.Errorf("%s: %v", name, err)
		}
	}
	two := []Trigger{{Stage: "s", Above: 1}, {Stage: "s", Above: 1, Color: Red}}
	if _, err := newTriggers(two, somePipeline, nil); !errors.Is(err, ErrTrigger) {
		t.Errorf("two of one name: %v", err)
	}
	two[1].Statistic = Deviations
	if _, err := newTriggers(two, somePipeline, nil); err != nil {
		t.Error(err)
	}
}
