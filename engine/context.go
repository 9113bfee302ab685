package engine

import "context"

type taskKey struct{}

func taskOf(ctx context.Context) *task {
	in, _ := ctx.Value(taskKey{}).(*task)
	return in
}

// feedKey is the context's key of a source's call.
type feedKey struct{}

// callOf is the call that a context belongs to.
func callOf(ctx context.Context, in *task) *call {
	if c, is := ctx.Value(feedKey{}).(*call); is {
		return c
	}
	return &in.call
}
