package wire

import (
	"errors"

	"penstock/engine"
	"penstock/engine/observe"
)

// AllEvents is the history of several stages, merged by time.
func AllEvents(stages []string, history func(stage string) ([]observe.StageEvent, error)) ([]observe.StageEvent, error) {
	var histories [][]observe.StageEvent
	for _, stage := range stages {
		events, err := history(stage)
		if errors.Is(err, engine.ErrNoState) { // it has a channel, and never got further
			continue
		}
		if err != nil {
			return nil, err
		}
		histories = append(histories, events)
	}
	return mergeEvents(histories), nil
}

// mergeEvents takes the earliest of the first events again and again. So those
// of one stage stay in their order, also when the clock was set back.
func mergeEvents(histories [][]observe.StageEvent) []observe.StageEvent {
	var merged []observe.StageEvent
	for {
		earliest := -1
		for i, events := range histories {
			if len(events) > 0 && (earliest < 0 || events[0].Time.Before(histories[earliest][0].Time)) {
				earliest = i
			}
		}
		if earliest < 0 {
			return merged
		}
		merged = append(merged, histories[earliest][0])
		histories[earliest] = histories[earliest][1:]
	}
}
