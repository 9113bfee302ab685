package register

import (
	"context"
	"fmt"

	"penstock/engine/frame"
	"penstock/engine/internal/ports"
)

// Refresh enters an owner once more, at the end of the stream, where its entry is before a sequence that the stream is
// to be trimmed to. It tries once. Without an answer the entry may still come, which changes nothing. A newer claim is
// a [LostError].
func Refresh(ctx context.Context, log ports.OwnedLog, clock ports.Clock, owner, before uint64) error {
	newest, found, err := log.Newest(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the register: %w", err)
	case !found || newest.Sequence >= before:
		return nil
	case newest.Frame.Owner != owner:
		return lostTo(newest, newest.Frame.Epoch)
	}
	data, err := frame.Append(nil, newest.Frame, frame.Options{})
	if err != nil {
		return fmt.Errorf("encode the claim: %w", err)
	}
	pending := log.Claim(data, newest.Tail)
	if err := clock.Until(ctx, pending.Done()); err != nil {
		return err
	}
	if _, err := pending.Result(); err != nil && !isOpen(err) {
		return fmt.Errorf("enter the owner again: %w", err)
	}
	return nil
}
