package engine

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// Fault is what a recovery function is told of a failure of its stage, whose
// state has the type S.
type Fault[S any] struct {
	Stage    string
	Reason   supervise.Reason // Error, Panic or Unhealthy
	Err      error
	Panic    any           // what was given to panic, if it was one
	Stack    []byte        // of the panic
	Call     string        // what failed: "message numbers.0:33", "step:12", "timer:0", "start", "commit", …
	Message  *FaultMessage // the message at hand; nil when it is none, or a whole batch
	Attempt  int           // failed tries of the call so far, this one included
	Restarts int           // in a row so far
	Total    uint64        // restarts of the stage since Run began
	// Abandoned says that the function did not return and was left behind.
	Abandoned bool
	// State is a copy of the committed state: what a restart begins with.
	// In a keyed stage it is that of the key at hand.
	State S
}

// FaultMessage is a message that a stage failed at.
type FaultMessage struct {
	ID     string // as Message.ID
	Stream string
	Offset uint64
	Key    string
	Time   time.Time
	Value  []byte // as it was encoded; nil when the stage was abandoned
}

// Recovery is what a recovery function decides. The zero value leaves it to
// the restart policy. Make one with the methods of Fault.
type Recovery[S any] struct {
	decision supervise.Decision
	state    *S
	handler  func(ctx context.Context, p *Pipeline, log *slog.Logger) error
	drop     bool
}

// RecoveryFunc is asked what to do when its stage has failed. It is declared
// in Hooks, and SetRecovery replaces it at run time. It runs while the stage is
// down, beside everything else. It may take as long as RecoveryTimeout says
// (default 5 s); when it panics or takes longer the failure is escalated.
type RecoveryFunc[S any] func(ctx context.Context, f Fault[S]) Recovery[S]

// Restart starts the stage again from its last commit, whatever its policy.
func (f Fault[S]) Restart() Recovery[S] { return Recovery[S]{decision: supervise.Restart} }

// RestartWith starts the stage again with this state instead of the committed
// one. It is committed before anything else; positions and outputs are not
// changed. In a keyed stage it is the state of the key at hand.
func (f Fault[S]) RestartWith(state S) Recovery[S] {
	return Recovery[S]{decision: supervise.Restart, state: &state}
}

// Ignore goes on as if the call had not been there: a message at hand is
// dropped, which the Status counts, and a timer's tick is left out. Anything
// else is tried again. No limit counts it.
func (f Fault[S]) Ignore() Recovery[S] { return Recovery[S]{decision: supervise.Ignore, drop: true} }

// Stop leaves the stage down: it keeps its state and its messages, and goes on
// in the next run, or when Pipeline.StartStage says so.
func (f Fault[S]) Stop() Recovery[S] { return Recovery[S]{decision: supervise.GiveUp} }

// Escalate makes the stage's group fail; the group's parent decides what
// happens next. For a stage of no group the pipeline stops.
func (f Fault[S]) Escalate() Recovery[S] { return Recovery[S]{decision: supervise.PassUp} }

// Handle runs handler, a user's own way to recover, before the stage starts
// again from its last commit, for as long as the handler takes. Its error is escalated.
func (f Fault[S]) Handle(handler func(ctx context.Context, p *Pipeline, log *slog.Logger) error) Recovery[S] {
	return Recovery[S]{decision: supervise.Restart, handler: handler}
}

// SetRecovery replaces the recovery function of the stage that ctx belongs to,
// from inside one of its functions. It takes effect at once, and lasts as long
// as the process: the next one begins with that of Hooks. So it also serves as
// a snapshot, without waiting for a commit:
//
//	engine.SetRecovery(ctx, func(_ context.Context, f engine.Fault[Count]) engine.Recovery[Count] {
//		return f.RestartWith(snapshot)
//	})
//
// It panics when ctx is not that of a call of a stage, or S not the type of
// its state: wiring mistakes.
func SetRecovery[S any](ctx context.Context, fn RecoveryFunc[S]) {
	in := task.TaskOf(ctx)
	if in == nil {
		panic("engine.SetRecovery: outside a call of a stage")
	}
	t, ok := in.Processor.(interface {
		recovery(RecoveryFunc[S]) task.RecoverFunc
	})
	if !ok {
		var zero S
		panic(fmt.Sprintf("engine.SetRecovery: stage %s has no state of type %T", in.Definition.Name, zero))
	}
	if !in.Code.Custody.Abandoned() {
		in.Fault.Recovery.Set(t.recovery(fn))
	}
}
