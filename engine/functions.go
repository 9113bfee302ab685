package engine

import (
	"context"
	"time"

	"penstock/engine/internal/state"
)

// processor is an instance's typed half behind a face without types: it decodes,
// finds the state and calls the user's functions. The instance decides when.
type processor interface {
	callSource(ctx context.Context) error
	callMessage(ctx context.Context, p *peeked) error
	callBatch(ctx context.Context, input int, batch []peeked) error
	callTimer(ctx context.Context, timer int, now time.Time) error
	callStart(ctx context.Context) error
	callBeforeCommit(ctx context.Context) error
	callEnd(ctx context.Context, key string) error
	callStop(ctx context.Context) error
	hasStart() bool
	hasEnd() bool
	hasBeforeCommit() bool
	keeper() state.Keeper
}

// functions is what the plan of a stage does not know: its functions.
type functions interface {
	newProcessor(t *task) processor
	recovers() recoverFunc // nil: the restart policy decides
}
