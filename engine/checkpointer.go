package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"penstock/checkpoint"
	"penstock/engine/channel"
	"penstock/engine/faultpoint"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/rule"
	"penstock/engine/internal/view"
)

// dirtyLimit is how much memory the changed states of a keyed stage may take
// before a checkpoint is taken early.
const dirtyLimit = 32 << 20

// checkpointer writes the committed state of all instances to Badger at an
// interval, and trims the channels up to what is then no longer needed. It is
// the only one that does either.
type checkpointer struct {
	saver     saver
	instances []*instance
	interval  time.Duration
	server    ports.Server
	log       *slog.Logger
	kicked    chan struct{}
	trimmed   map[*instance]uint64
	past      pastCheckpoints

	reconnects uint64 // of the broker, when the settings were last looked at
}

// kick asks for a checkpoint now. Safe from any goroutine; never blocks.
func (c *checkpointer) kick() { signal(c.kicked) }

// serve checkpoints until ctx is done.
func (c *checkpointer) serve(ctx context.Context, w *waits) {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	settings := time.NewTicker(settingsInterval)
	defer settings.Stop()
	for {
		w.begin(waitCheckpoint, "a checkpoint is being written, or the channels are being trimmed")
		err := c.checkpoint(ctx)
		if err == nil {
			w.end(waitCheckpoint)
		} else {
			w.begin(waitCheckpoint, err.Error())
		}
		if isNoSpace(err) {
			c.log.Debug("a checkpoint waits for free space", "error", err) // more was said of that
		} else if err != nil && ctx.Err() == nil {
			c.log.Error("a checkpoint failed; the next attempt follows after the interval", "error", err)
		}
		if c.server.Reconnects() != c.reconnects {
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

// settingsInterval is how often the streams are looked at for settings that
// another client changed, besides after each reconnect.
const settingsInterval = 30 * time.Second

// restoreSettings puts the streams' settings right. That a stream is gone is
// found out, and told, by who needs it next.
func (c *checkpointer) restoreSettings(ctx context.Context) {
	c.reconnects = c.server.Reconnects()
	var all sync.WaitGroup // side by side: each may have to wait for a leader of its own
	for _, in := range c.instances {
		all.Go(func() {
			if _, err := in.channel.Restore(ctx); err != nil && ctx.Err() == nil {
				in.log.Warn("cannot check the settings of the channel", "error", err)
			}
		})
	}
	all.Wait()
}

// checkpoint takes one of everything and trims. Trimming waits for the server
// when that is away.
func (c *checkpointer) checkpoint(ctx context.Context) error {
	began := time.Now()
	wrote, err := c.write(ctx)
	c.past.note(began, wrote, c.saver.size(), err)
	if err != nil || !c.server.Connected() {
		return err
	}
	for _, in := range c.instances {
		if err := c.trim(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// write says whether there was something new.
func (c *checkpointer) write(ctx context.Context) (wrote bool, err error) {
	var updates []view.Update
	var from []*view.View
	giveUp := func() {
		for _, view := range from {
			view.GiveUp()
		}
	}
	for _, in := range c.instances {
		u, changed, err := in.committed.Begin()
		if err != nil {
			giveUp()
			return false, err
		}
		if changed {
			updates, from = append(updates, u), append(from, in.committed)
		}
	}
	if len(updates) == 0 {
		return false, nil
	}
	letters := c.instances[0].run.letters.Reached()
	// The checkpoint must never be ahead of what is on disk of the channels.
	if err := c.server.SyncFiles(ctx); err != nil {
		giveUp()
		return false, err
	}
	if err := c.instances[0].noteLetters(letters); err != nil {
		giveUp()
		return false, err
	}
	if err := c.announce(updates); err != nil {
		giveUp()
		return false, err
	}
	faultpoint.Hit(faultpoint.BeforeCheckpoint, "")
	if err := c.saver.save(updates); err != nil {
		giveUp()
		return false, err
	}
	for k, view := range from {
		view.Done(updates[k])
	}
	faultpoint.Hit(faultpoint.AfterCheckpoint, "")
	return true, nil
}

// announce notes how far the keys of a checkpoint reach, before they are
// written. A server outside may lose frames that it had
// acknowledged, and a crash may leave keys without their checkpoint: then these
// are ahead of the channel, and nothing else would tell.
func (c *checkpointer) announce(updates []view.Update) error {
	if c.server.Embedded() {
		return nil // its files are synced
	}
	keyed := slices.DeleteFunc(slices.Clone(updates), func(u view.Update) bool { return u.Keys.Len() == 0 })
	for k, u := range keyed {
		put := u.Vault.PutNoteUnsynced
		if k == len(keyed)-1 {
			put = u.Vault.PutNote // syncs them all
		}
		if err := put(view.ReachNote, binary.LittleEndian.AppendUint64(nil, u.Checkpoint.Commit)); err != nil {
			return fmt.Errorf("record how far the keys of a checkpoint reach: %w", err)
		}
	}
	return nil
}

// trim drops the frames of an instance that neither its own recovery nor any
// reader can need again.
func (c *checkpointer) trim(ctx context.Context, in *instance) error {
	own, _ := in.committed.Covered()
	last := in.progress.last.Load() // before anything is asked of what is in the frames up to it
	before := min(own, last)
	if rule.TrimBound {
		for _, r := range in.readers {
			if r.hasEnded() && r.endIsKept() { // else a cut of the power may take its end
				continue
			}
			before = min(before, r.needs(r.input, last))
		}
	} else {
		before = last
	}
	if before <= c.trimmed[in] {
		return nil
	}
	switch err := in.channel.Trim(ctx, before); {
	case errors.Is(err, channel.ErrMayNot):
		return nil
	case err != nil:
		return err
	}
	c.trimmed[in] = before
	info, err := in.channel.Info(ctx)
	if err != nil {
		return err
	}
	in.progress.stored.Store(int64(info.Bytes))
	in.poke()
	return nil
}

// saver makes checkpoints durable, as [checkpoint.Store.Write] does.
type saver interface {
	save(updates []view.Update) error
	size() int64 // bytes on disk
}

// badger is the saver of a store.
type badger struct{ store *checkpoint.Store }

func (b badger) save(updates []view.Update) error {
	list := make([]checkpoint.Update, len(updates))
	for k, u := range updates {
		list[k] = checkpoint.Update{Instance: u.Vault.(*checkpoint.Instance), Checkpoint: u.Checkpoint, Changes: u.Keys}
	}
	return b.store.Write(list)
}

func (b badger) size() int64 { return b.store.Size() }

var _ saver = badger{}
