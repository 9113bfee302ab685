package wire

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
)

// at makes a history with events at these seconds.
func at(stage string, seconds ...int64) []observe.StageEvent {
	var events []observe.StageEvent
	for i, s := range seconds {
		events = append(events, observe.StageEvent{Number: uint64(i + 1), Stage: stage, Time: time.Unix(s, 0)})
	}
	return events
}

func TestMergeEvents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		histories [][]observe.StageEvent
		want      []string
	}{
		"nothing":            {nil, nil},
		"by time":            {[][]observe.StageEvent{at("a", 1, 4), at("b", 2, 3, 5), nil}, []string{"a1", "b1", "b2", "a2", "b3"}},
		"at once":            {[][]observe.StageEvent{at("a", 1, 1), at("b", 1)}, []string{"a1", "a2", "b1"}},
		"the clock set back": {[][]observe.StageEvent{at("a", 5, 1), at("b", 2, 6)}, []string{"b1", "a1", "a2", "b2"}},
	} {
		var got []string
		for _, e := range mergeEvents(test.histories) {
			got = append(got, fmt.Sprint(e.Stage, e.Number))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestAllEvents(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	history := func(stage string) ([]observe.StageEvent, error) {
		switch stage {
		case "unborn":
			return nil, fmt.Errorf("%w: unborn", engine.ErrNoState)
		case "broken":
			return nil, broken
		}
		return at(stage, 1), nil
	}
	if events, err := AllEvents([]string{"a", "unborn", "b"}, history); err != nil || len(events) != 2 {
		t.Errorf("%+v, %v", events, err)
	}
	if _, err := AllEvents([]string{"a", "broken"}, history); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
