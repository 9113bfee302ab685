package engine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"penstock/checkpoint"
	"penstock/engine/broker"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/rule"
)

// dirtyLimit is how many bytes of changed keyed state may wait for the next
// checkpoint before it is taken early.
const dirtyLimit = 16 << 20

// checkpointer writes the committed state of all instances to Badger at an
// interval, and trims the channels up to what is then no longer needed. It is
// the only one that does either.
type checkpointer struct {
	store     *checkpoint.Store
	instances []*instance
	interval  time.Duration
	broker    *broker.Broker
	log       *slog.Logger
	kicked    chan struct{}
	trimmed   map[*instance]uint64

	reconnects uint64 // of the broker, when the settings were last looked at
}

// kick asks for a checkpoint now. Safe from any goroutine; never blocks.
func (c *checkpointer) kick() { signal(c.kicked) }

// serve checkpoints until ctx is done.
func (c *checkpointer) serve(ctx context.Context) {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	settings := time.NewTicker(settingsInterval)
	defer settings.Stop()
	for {
		err := c.checkpoint(ctx)
		if isNoSpace(err) {
			c.log.Debug("a checkpoint waits for free space", "error", err) // more was said of that
		} else if err != nil && ctx.Err() == nil {
			c.log.Error("a checkpoint failed; the next one is tried at the interval", "error", err)
		}
		if c.broker.Reconnects() != c.reconnects {
			c.restoreSettings(ctx)
		}
		select {
		case <-ticker.C:
		case <-c.kicked:
		case <-settings.C:
			c.restoreSettings(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// isNoSpace says that the disk is full: here, or where the server is.
func isNoSpace(err error) bool {
	return errors.Is(err, checkpoint.ErrNoSpace) || err != nil && strings.Contains(err.Error(), syscall.ENOSPC.Error())
}

// settingsInterval is how often the streams are looked at for settings that
// somebody changed, besides after each reconnect.
const settingsInterval = 30 * time.Second

// restoreSettings puts the streams' settings right. That a stream is gone is
// found out, and told, by who needs it next.
func (c *checkpointer) restoreSettings(ctx context.Context) {
	c.reconnects = c.broker.Reconnects()
	for _, in := range c.instances {
		if _, err := in.channel.Restore(ctx); err != nil && ctx.Err() == nil {
			in.log.Warn("the settings of the channel could not be checked", "error", err)
		}
	}
}

// checkpoint takes one of everything and trims. Trimming waits for the server
// when that is away.
func (c *checkpointer) checkpoint(ctx context.Context) error {
	if err := c.write(ctx); err != nil || !c.broker.Connected() {
		return err
	}
	for _, in := range c.instances {
		if err := c.trim(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

func (c *checkpointer) write(ctx context.Context) error {
	var updates []checkpoint.Update
	var inputs [][]frame.Position
	var from []*committed
	giveUp := func() {
		for _, view := range from {
			view.giveUp()
		}
	}
	for _, in := range c.instances {
		update, positions, changed, err := in.committed.begin()
		if err != nil {
			giveUp()
			return err
		}
		if changed {
			updates, inputs, from = append(updates, update), append(inputs, positions), append(from, in.committed)
		}
	}
	if len(updates) == 0 {
		return nil
	}
	// The checkpoint must never be ahead of what is on disk of the channels.
	if err := c.broker.SyncFiles(ctx); err != nil {
		giveUp()
		return err
	}
	faultpoint.Hit(faultpoint.BeforeCheckpoint, "")
	if err := c.store.Write(updates); err != nil {
		giveUp()
		return err
	}
	for k, view := range from {
		view.done(updates[k], inputs[k])
	}
	faultpoint.Hit(faultpoint.AfterCheckpoint, "")
	return nil
}

// trim drops the frames of an instance that neither its own recovery nor any
// reader can need again.
func (c *checkpointer) trim(ctx context.Context, in *instance) error {
	own, _ := in.committed.covered()
	before := min(own, in.last.Load())
	if rule.TrimBound {
		for _, r := range in.run.readers[in] {
			if r.reader.isEnded.Load() {
				continue
			}
			before = min(before, r.needs())
		}
	} else {
		before = in.last.Load()
	}
	if before <= c.trimmed[in] {
		return nil
	}
	if err := in.channel.Trim(ctx, before); err != nil {
		return err
	}
	c.trimmed[in] = before
	info, err := in.channel.Info(ctx)
	if err != nil {
		return err
	}
	in.stored.Store(int64(info.Bytes))
	in.poke()
	return nil
}
