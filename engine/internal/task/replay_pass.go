package task

import (
	"context"

	"penstock/dlq"
	"penstock/engine/supervise"
)

// passOn gives a request to the partition that has the key of its value: who asks for a replay to another stage, or
// with another value, knows no key functions. The request of this instance goes first, as in refuseEdited. A partition
// that has ended takes it in the next run. A message whose key is not known fails when it is called.
func (t *Task) passOn(ctx context.Context, i *Input, request dlq.Replay, origin *Input) (isGone bool, err error) {
	layout := t.Definition.Layout()
	if layout.Count == 1 || origin.Input.Key == nil {
		return false, nil
	}
	var key string
	var unknown error
	t.mark() // of nothing: a failure must not undo the call before
	t.Batch.begin(i.head.Message.Time)
	err = t.invoke(ctx, func() error {
		unknown = supervise.Sound(supervise.Call(func() (err error) {
			key, err = origin.Input.Key(request.Letter.Value)
			return err
		}))
		return nil
	})
	to := layout.Number(layout.PartitionOf(key))
	if err != nil || unknown != nil || to == t.ID.Number {
		return false, err
	}
	if err := t.Run.Letters.PassOn(ctx, request, to); err != nil {
		return false, err
	}
	i.take()
	t.moved(i)
	return true, nil
}
