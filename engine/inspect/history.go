package inspect

import (
	"fmt"

	"penstock/engine/internal/history"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/shape"
	"penstock/engine/observe"
)

// History is that method of engine.Pipeline for a pipeline that is not running.
func (i *Inspector) History(stage string) ([]observe.StageEvent, error) {
	if err := plan.CheckName("stage", stage); err != nil {
		return nil, err
	}
	store := i.store.Instance(plan.Only(stage).String())
	_, found, err := shape.Read(store)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: pipeline %s has no stage %q", shape.ErrNoState, i.pipeline, stage)
	}
	return history.Read(store)
}
