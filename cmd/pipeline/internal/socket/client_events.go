package socket

import (
	"fmt"
	"io"

	"penstock/engine/observe"
)

// eventsMost bounds the events of an answer: histories are much shorter.
const eventsMost = 200_000

// ReadEvents reads what the control socket answers.
func ReadEvents(body io.Reader) ([]observe.StageEvent, error) {
	var events []observe.StageEvent
	err := eachLine(boundedTo(body, wholeMost), listedMost, func(e observe.StageEvent) error {
		switch {
		case e.Number == 0 || e.Kind == "" || e.Time.Year() < 2000:
			return fmt.Errorf("the answer on the control socket is damaged: line %d is not an event of a stage", len(events)+1)
		case len(events) == eventsMost:
			return fmt.Errorf("%w: it has more than %d events", errTooMuch, eventsMost)
		}
		events = append(events, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return events, nil
}
