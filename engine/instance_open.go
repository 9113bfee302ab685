package engine

import (
	"context"
	"fmt"

	"penstock/engine/internal/shape"
	"penstock/engine/internal/view"
	"penstock/engine/remedy"
)

// open begins the instance's first task.
func (in *instance) open(ctx context.Context) error {
	if err := in.loadStats(); err != nil {
		return err
	}
	if err := in.observed.history.Open(in.committed.Store); err != nil {
		return fmt.Errorf("stage %s: %w", in.definition.Name, err)
	}
	if err := in.shape().Save(in.committed.Store); err != nil {
		return fmt.Errorf("stage %s: keep the shape of the state: %w", in.definition.Name, err)
	}
	s := newTask(in)
	if err := s.open(ctx); err != nil {
		return err
	}
	in.task.Store(s)
	in.observed.foreign.tell(in)
	return nil
}

// shape is how the states of the stage are read.
func (in *instance) shape() shape.Shape {
	return shape.Shape{Codec: in.definition.StateCodec(), Keyed: in.definition.Keyed()}
}

// checkPositions refuses a reader that is ahead of its channel, also one that
// has ended and looks no more: the channel was replaced or lost its tail.
func (r *running) checkPositions() error {
	for _, in := range r.instances {
		for k, i := range in.definition.Inputs {
			// Messages that others have overtaken do not count: those behind them were taken.
			taken := in.task.Load().inbox.inputs[k].committed.End()
			if taken > in.writtenTo(k) {
				return remedy.Errorf("%w: stage %s has consumed %d messages of %s, but its channel ends after %d: the channel lost its tail, or was deleted; restore it, or start over with %v",
					view.ErrRefused, in.definition.Name, taken, i.Stream, in.writtenTo(k), remedy.Fresh)
			}
		}
	}
	return nil
}
