package channel

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/frame"

	"github.com/nats-io/nats.go/jetstream"
)

// passesDamaged says that what cannot be read is set aside, as the spec has it. What a newer version wrote never is.
func (c *Channel) passesDamaged(sequence uint64, data []byte, cause error) bool {
	return c.spec.PassDamaged != nil && !errors.Is(cause, frame.ErrNewerVersion) && c.spec.PassDamaged(sequence, data)
}

// Remove deletes a message of the instance's subject, if it is there and is no sound frame. Before that keep gets its
// bytes, maybe more than once; its error leaves the message where it is.
func (c *Channel) Remove(ctx context.Context, sequence uint64, keep func(data []byte) error) error {
	return c.once(ctx, func(ctx context.Context) error {
		stream := c.stream.Load()
		msg, err := stream.GetMsg(ctx, sequence)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("stream %s: read sequence %d: %w", c.name, sequence, err)
		}
		if _, err := frame.Decode(msg.Data); err == nil || errors.Is(err, frame.ErrNewerVersion) || msg.Subject != c.subject {
			return fmt.Errorf("stream %s: sequence %d is a frame, or of another instance: it is not deleted", c.name, sequence)
		}
		if err := keep(msg.Data); err != nil {
			return err
		}
		if err := stream.DeleteMsg(ctx, sequence); err != nil {
			return fmt.Errorf("stream %s: delete sequence %d: %w", c.name, sequence, err)
		}
		return nil
	})
}
