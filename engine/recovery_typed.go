package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"penstock/engine/internal/state"
	"penstock/engine/supervise"
)

// recovery takes the type off a recovery function.
func (t *typed[S, Out]) recovery(fn RecoveryFunc[S]) recoverFunc {
	if fn == nil {
		return nil
	}
	p := t.pipeline
	return func(ctx context.Context, in *instance, f fault) (verdict, error) {
		told := Fault[S]{
			Stage: f.Child, Reason: f.Reason, Err: f.Err, Call: f.call, Message: (*FaultMessage)(f.message), Attempt: f.attempt,
			Restarts: f.Restarts, Total: f.Total, Abandoned: f.Abandoned,
		}
		var panicked *supervise.PanicError
		if errors.As(f.Err, &panicked) {
			told.Panic, told.Stack = panicked.Value, panicked.Stack
		}
		var err error
		if told.State, err = t.committedState(in, f); err != nil {
			return verdict{}, err
		}
		answer := fn(ctx, told)
		v := verdict{decision: answer.decision, drop: answer.drop}
		if h := answer.handler; h != nil {
			v.handler = func(ctx context.Context, log *slog.Logger) error { return h(ctx, p, log) }
		}
		if answer.state != nil {
			v.replace = func(k state.Keeper) error { return replaceState(k, f, *answer.state) }
		}
		return v, nil
	}
}

func (t *typed[S, Out]) committedState(in *instance, f fault) (state S, err error) {
	data, found := in.committed.Whole()
	if t.Stage.Keyed() {
		if !f.hasKey {
			return state, nil
		}
		data, found, err = in.committed.SettledKey(f.key)
	}
	if err != nil || !found {
		return state, err
	}
	if state, err = t.codec.Decode(data); err != nil {
		return state, fmt.Errorf("the committed state of stage %s cannot be decoded as %s: %w", t.Stage.Name, t.codec.Name(), err)
	}
	return state, nil
}

func replaceState[S any](k state.Keeper, f fault, with S) error {
	switch k := k.(type) {
	case *state.Whole[S]:
		k.Value = with
		return nil
	case *state.Keyed[S]:
		if !f.hasKey {
			return errors.New("it failed outside a message, so there is no key whose state can be replaced")
		}
		value, err := k.Get(f.key)
		if err == nil {
			*value = with
		}
		return err
	}
	return fmt.Errorf("its state is not a %T", with)
}
