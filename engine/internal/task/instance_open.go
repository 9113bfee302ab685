package task

import (
	"context"
	"fmt"

	"penstock/engine/internal/shape"
	"penstock/engine/internal/view"
	"penstock/engine/remedy"
	"penstock/internal/counted"
)

// Rebuild brings the state to the channel's last frame, and takes nothing over. From then on others see what the
// instance has written: the readers' commits are compared with that, see TakeBack.
func (in *Instance) Rebuild(ctx context.Context) error {
	if err := in.Committed.CatchUp(ctx, in.Channel, in.Definition.Keyed()); err != nil {
		return fmt.Errorf("stage %s: %w", in.Definition.Name, err)
	}
	control, _ := in.Committed.Last()
	in.noteWritten(&control)
	return in.checkRetired()
}

// Open begins the instance's first task.
func (in *Instance) Open(ctx context.Context) error {
	if err := in.LoadStats(); err != nil {
		return err
	}
	if err := in.Observed.History.Open(in.Committed.Store); err != nil {
		return fmt.Errorf("stage %s: %w", in.Definition.Name, err)
	}
	if err := in.Shape().Save(in.Committed.Store); err != nil {
		return fmt.Errorf("stage %s: keep the shape of the state: %w", in.Definition.Name, err)
	}
	s := NewTask(in)
	if err := s.Open(ctx); err != nil {
		return err
	}
	in.Task.Store(s)
	in.Observed.Foreign.tell(in)
	return nil
}

// Shape is how the states of the stage are read.
func (in *Instance) Shape() shape.Shape {
	return shape.Of(in.Definition, in.Definition.Layout())
}

// CheckPositions refuses a reader that is ahead of its channel, also one that
// has ended and looks no more: the channel was replaced or lost its tail.
func (r *Run) CheckPositions() error {
	for _, in := range r.Instances {
		for k := range in.Edges {
			// Messages that others have overtaken do not count: those behind them were taken.
			taken := in.Task.Load().Inbox.Inputs[k].Committed.End()
			if taken > in.WrittenTo(k) {
				return remedy.Errorf("%w: stage %s has consumed %s of %s, but its channel ends after %d: the channel lost its tail, or was deleted; restore it, or start over with %v",
					view.ErrRefused, in.StageName(), counted.Things(taken, "message"), &in.Edges[k], in.WrittenTo(k), remedy.Fresh)
			}
		}
	}
	return nil
}
