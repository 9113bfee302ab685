package enginetest

import (
	"context"
	"io"

	"penstock/engine"
)

// Place is the state of Values: how many values it has emitted.
type Place struct {
	Next int `json:"next"`
}

// Values declares a source that emits these values, one a call, and ends. It may be interrupted and resumed.
func Values[T any](scope engine.Scope, name string, values ...T) *engine.Stream[T] {
	return engine.Source(scope, name, func(_ context.Context, at *Place, emit engine.Emit[T]) error {
		if at.Next >= len(values) {
			return io.EOF
		}
		emit(values[at.Next])
		at.Next++
		return nil
	})
}
