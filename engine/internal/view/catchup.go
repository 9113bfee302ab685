package view

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
	"penstock/engine/remedy"
)

// ErrRefused is wrapped when what is on disk and what is in the channels do
// not fit together: going on would be silently wrong.
var ErrRefused = errors.New("refused")

// CatchUp brings the committed view to the channel's last frame: the
// checkpoint, and the frames after it.
func (c *View) CatchUp(ctx context.Context, ch ports.Log, keyed bool) error {
	if err := c.load(); err != nil {
		return err
	}
	reach, err := c.Reach()
	if err != nil {
		return err
	}
	known, sequence := c.Last()
	last, found, err := ch.Last(ctx)
	if err != nil {
		return fmt.Errorf("read the last frame: %w", err)
	}
	switch {
	case !found && known.Commit > 0:
		return remedy.Errorf("%w: the checkpoint is at commit %d, but the channel is empty: it was deleted, or belongs to another directory; start over with %v", ErrRefused, known.Commit, remedy.Fresh)
	case found && last.Frame.Commit < known.Commit:
		return remedy.Errorf("%w: the checkpoint is at commit %d, ahead of the channel, which ends at commit %d: the channel lost its tail; restore it, or start over with %v", ErrRefused, known.Commit, last.Frame.Commit, remedy.Fresh)
	case !found && reach > 0, found && last.Frame.Commit < reach:
		return remedy.Errorf("%w: a checkpoint of commit %d was begun, but the channel ends before it: the channel lost its tail; restore it, or start over with %v", ErrRefused, reach, remedy.Fresh)
	case found && last.Frame.Commit > known.Commit:
		return c.replay(ctx, ch, keyed, known.Commit, sequence, last)
	}
	return nil
}

// Reach is the newest commit whose keys may be in the store, as far as that was
// noted; see announce.
func (c *View) Reach() (uint64, error) {
	note, found, err := c.Store.Note(ReachNote)
	if err != nil {
		return 0, fmt.Errorf("read how far the checkpoint reaches: %w", err)
	}
	if !found || len(note) != 8 {
		return 0, nil
	}
	return binary.LittleEndian.Uint64(note), nil
}

// load begins with the checkpoint, the first time. What was under way is
// forgotten: either it is in the channel, or it never was.
func (c *View) load() error {
	if c.loaded {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.launched = nil
		return nil
	}
	saved, found, err := c.Store.Load()
	if err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	if found {
		if err := c.restore(saved); err != nil {
			return err
		}
	}
	c.loaded = true
	return nil
}

// IsEnough says that the last frame of a stage holds its whole state, so that none before it is needed.
func IsEnough(last *frame.Frame, keyed bool) bool {
	return !keyed && last.State.Kind == frame.StateWhole
}

// replay applies the frames after the checkpoint, or the last one alone where that is enough.
func (c *View) replay(ctx context.Context, ch ports.Log, keyed bool, commit, sequence uint64, last channel.Record) error {
	if IsEnough(last.Frame, keyed) {
		faultpoint.Hit(faultpoint.MidRecovery, c.Stage)
		c.Accept(last.Frame, last.Sequence)
		return nil
	}
	expected := commit + 1
	err := ch.Replay(ctx, sequence+1, func(r channel.Record) error {
		if r.Frame.Commit != expected {
			return remedy.Errorf("%w: the checkpoint in this directory is at commit %d, but the next frame in the channel is commit %d: the frames between are trimmed; use the data directory of the latest run, named with %v", ErrRefused, expected-1, r.Frame.Commit, remedy.Dir)
		}
		faultpoint.Hit(faultpoint.MidRecovery, c.Stage)
		c.Accept(r.Frame, r.Sequence)
		expected++
		return nil
	})
	if err != nil {
		return fmt.Errorf("replay from commit %d: %w", commit+1, err)
	}
	if expected <= last.Frame.Commit { // more is what the owner before commits meanwhile
		return remedy.Errorf("%w: the channel ends at commit %d, but its frames were found only up to %d; restore the stream, or start over with %v", ErrRefused, last.Frame.Commit, expected-1, remedy.Fresh)
	}
	return nil
}

// ReachNote holds the newest commit whose keys may be in the store.
const ReachNote = "reach"
