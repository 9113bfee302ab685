package task

import (
	"context"
	"fmt"

	"penstock/engine/supervise"
)

// endCheckKey marks the context of a call that checks a source at its end.
type endCheckKey struct{}

// IsEndCheck says that a call is made for a source that has ended.
func IsEndCheck(ctx context.Context) bool { return ctx.Value(endCheckKey{}) != nil }

// CheckEnded asks the sources that have ended, and want to be asked, whether what
// they have read is as it was. It comes before the stages start. A run that was
// complete, and goes on for a dead letter only, may have lost its input.
func (r *Run) CheckEnded(ctx context.Context) error {
	if r.wasComplete() {
		return nil
	}
	for _, in := range r.Instances {
		t := in.Task.Load()
		if !in.Phase.IsEnded() || !t.Processor.ChecksEnd() {
			continue
		}
		ctx := context.WithValue(context.WithValue(ctx, TaskKey{}, t), endCheckKey{}, true)
		err := supervise.Contain(func() error {
			return supervise.Call(func() error {
				if err := t.Processor.Keeper().Rollback(t.Committed); err != nil {
					return err
				}
				return t.Processor.CallEndCheck(ctx)
			})
		})
		if err != nil {
			return fmt.Errorf("stage %s, which has ended in a run that is not complete: %w", in.Definition.Name, err)
		}
	}
	return nil
}

// wasComplete says that each stage has ended, or had and goes on.
func (r *Run) wasComplete() bool {
	for _, in := range r.Instances {
		control, _ := in.Committed.Last()
		if !in.Phase.IsEnded() && !in.reopened && !control.UsedUp {
			return false
		}
	}
	return true
}
