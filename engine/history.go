package engine

import (
	"penstock/engine/internal/history"
	"penstock/engine/observe"
)

// StageEvent is one step in the life of a stage, as it is kept in the pipeline's directory.

// HistorySize is how many of a stage's newest events are kept.

// History returns the newest events of a stage of the running pipeline, the
// oldest first and at most HistorySize, also those of earlier processes. Safe
// for concurrent use.
func (p *Pipeline) History(stage string) ([]observe.StageEvent, error) {
	instances, err := p.running(stage)
	if err != nil {
		return nil, err
	}
	var all [][]observe.StageEvent
	for _, in := range instances {
		if err := in.Observed.History.Flush(); err != nil {
			return nil, err
		}
		events, err := history.Read(in.Committed.Store)
		if err != nil {
			return nil, err
		}
		all = append(all, events)
	}
	return history.Merge(all), nil
}
