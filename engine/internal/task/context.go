package task

import "context"

type TaskKey struct{}

func TaskOf(ctx context.Context) *Task {
	in, _ := ctx.Value(TaskKey{}).(*Task)
	return in
}

// feedKey is the context's key of a source's call.
type feedKey struct{}

// CallOf is the call that a context belongs to.
func CallOf(ctx context.Context, in *Task) *call {
	if c, is := ctx.Value(feedKey{}).(*call); is {
		return c
	}
	return &in.call
}
