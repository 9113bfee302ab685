package inspect

import (
	"penstock/engine/internal/history"
	"penstock/engine/observe"
)

// History is that method of engine.Pipeline for a pipeline that is not running.
func (i *Inspector) History(stage string) ([]observe.StageEvent, error) {
	s, err := i.shape(stage)
	if err != nil {
		return nil, err
	}
	var all [][]observe.StageEvent
	for _, id := range s.Layout().Instances(stage) {
		events, err := history.Read(i.store.Instance(id.String()))
		if err != nil {
			return nil, err
		}
		all = append(all, events)
	}
	return history.Merge(all), nil
}
