package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"penstock/engine/internal/state"
	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// recovery takes the type off a recovery function.
func (t *typed[S, Out]) recovery(fn RecoveryFunc[S]) task.RecoverFunc {
	if fn == nil {
		return nil
	}
	p := t.pipeline
	return func(ctx context.Context, in *task.Instance, f task.Fault) (task.Verdict, error) {
		told := Fault[S]{
			Stage: f.Child, Reason: f.Reason, Err: f.Err, Call: f.Call, Message: (*FaultMessage)(f.Message), Attempt: f.Attempt,
			Restarts: f.Restarts, Total: f.Total, Abandoned: f.Abandoned,
		}
		var panicked *supervise.PanicError
		if errors.As(f.Err, &panicked) {
			told.Panic, told.Stack = panicked.Value, panicked.Stack
		}
		var err error
		if told.State, err = t.committedState(in, f); err != nil {
			return task.Verdict{}, err
		}
		answer := fn(ctx, told)
		v := task.Verdict{Decision: answer.decision, Drop: answer.drop}
		if h := answer.handler; h != nil {
			v.Handler = func(ctx context.Context, log *slog.Logger) error { return h(ctx, p, log) }
		}
		if answer.state != nil {
			v.Replace = func(k state.Keeper) error { return replaceState(k, f, *answer.state) }
		}
		return v, nil
	}
}

func (m *typedProcessor[S, Out]) recovery(fn RecoveryFunc[S]) task.RecoverFunc {
	return m.code.recovery(fn)
}

func (t *typed[S, Out]) committedState(in *task.Instance, f task.Fault) (state S, err error) {
	data, found := in.Committed.Whole()
	if t.stage.Keyed() {
		if !f.HasKey {
			return state, nil
		}
		data, found, err = in.Committed.SettledKey(f.Key)
	}
	if err != nil || !found {
		return state, err
	}
	if state, err = t.codec.Decode(data); err != nil {
		return state, fmt.Errorf("the committed state of stage %s cannot be decoded as %s: %w", t.stage.Name, t.codec.Name(), err)
	}
	return state, nil
}

func replaceState[S any](k state.Keeper, f task.Fault, with S) error {
	switch k := k.(type) {
	case *state.Whole[S]:
		k.Value = with
		return nil
	case *state.Keyed[S]:
		if !f.HasKey {
			return errors.New("it failed outside a message, so there is no key whose state can be replaced")
		}
		value, err := k.Get(f.Key)
		if err == nil {
			*value = with
		}
		return err
	}
	return fmt.Errorf("its state is not a %T", with)
}
