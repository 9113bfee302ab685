package task

import (
	"context"
	"errors"

	"penstock/dlq"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/plan"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// CannotDecode says why the codec of a stream cannot read a value: nil if it can, or if it does not know because what
// it asks is away. It contains the codec's panics.
func CannotDecode(s *plan.Stream, value []byte) error {
	if s.Decodes == nil {
		return nil
	}
	err := supervise.Sound(supervise.Call(func() error { return s.Decodes(value) }))
	if answer.IsUnavailable(err) {
		return nil
	}
	return err
}

// refuseEdited takes a request whose value a person replaced by one that the stage cannot decode, without a round: the
// letter stays as it was, with its value. The request goes first: below the position that the commit has, a letter is
// deleted with its request.
func (t *Task) refuseEdited(ctx context.Context, request dlq.Replay, origin *Input) (refused bool, err error) {
	if !request.Edited {
		return false, nil
	}
	cause := CannotDecode(origin.Input.Stream, request.Letter.Value)
	if cause == nil {
		return false, nil
	}
	if err := t.Run.Letters.Withdraw(ctx, request); err != nil {
		return false, errors.Join(cause, err)
	}
	t.Log.Error("the value that replaces that of a dead letter cannot be decoded: the replay is withdrawn, and the letter stays as it was",
		"id", request.Letter.ID(), "codec", origin.Input.Stream.CodecName(), "error", cause, "show", remedy.GetLetter.For(request.Letter.ID()))
	return true, nil
}
