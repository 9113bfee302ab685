package task

import (
	"context"
	"time"

	"penstock/engine/internal/state"
)

// Processor is an instance's typed half behind a face without types: it decodes,
// finds the state and calls the user's functions. The instance decides when.
type Processor interface {
	CallSource(ctx context.Context) error
	CallMessage(ctx context.Context, p *Peeked) error
	CallBatch(ctx context.Context, input int, batch []Peeked) error
	CallTimer(ctx context.Context, timer int, now time.Time) error
	CallStart(ctx context.Context) error
	CallBeforeCommit(ctx context.Context) error
	CallEnd(ctx context.Context, key string) error
	CallStop(ctx context.Context) error
	CallEndCheck(ctx context.Context) error // of a source that has ended, see CheckEnded
	ChecksEnd() bool                        // it is to be called so
	HasStart() bool
	HasEnd() bool
	HasBeforeCommit() bool
	Keeper() state.Keeper
}

// Functions is what the plan of a stage does not know: its functions.
type Functions interface {
	NewProcessor(t *Task) Processor
	Recovers() RecoverFunc // nil: the restart policy decides
}
