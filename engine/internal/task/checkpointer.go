package task

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
	"penstock/engine/internal/register"
	"penstock/engine/internal/rule"
	"penstock/engine/internal/view"
	"penstock/engine/internal/waits"
)

// dirtyLimit is how much memory the changed states of a keyed stage may take
// before a checkpoint is taken early.
const dirtyLimit = 32 << 20

// Checkpointer writes the committed state of all instances to Badger at an
// interval, and trims the channels up to what is then no longer needed. It is
// the only one that does either.
type Checkpointer struct {
	Saver     Saver
	Instances []*Instance
	Interval  time.Duration
	Server    ports.Server
	Log       *slog.Logger
	Kicked    chan struct{}
	Trimmed   map[*Instance]uint64
	Past      pastCheckpoints

	trouble    checkpointTrouble
	reconnects uint64 // of the broker, when the settings were last looked at
}

// kick asks for a checkpoint now. Safe from any goroutine; never blocks.
func (c *Checkpointer) kick() { signal(c.Kicked) }

// Serve checkpoints until ctx is done.
func (c *Checkpointer) Serve(ctx context.Context, w *waits.Set) {
	ticker := time.NewTicker(c.Interval)
	defer ticker.Stop()
	settings := time.NewTicker(settingsInterval)
	defer settings.Stop()
	for {
		if c.trouble.since.IsZero() { // else the last error is the better detail
			w.Begin(waits.Checkpoint, "a checkpoint is being written, or the channels are being trimmed")
		}
		c.tried(ctx, w, c.Checkpoint(ctx))
		if c.Server.Reconnects() != c.reconnects {
			c.restoreSettings(ctx)
		}
		select {
		case <-ticker.C:
		case <-c.Kicked:
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
func (c *Checkpointer) restoreSettings(ctx context.Context) {
	c.reconnects = c.Server.Reconnects()
	var all sync.WaitGroup // side by side: each may have to wait for a leader of its own
	for _, in := range c.Instances {
		all.Go(func() {
			if _, err := in.Channel.Restore(ctx); err != nil && ctx.Err() == nil {
				in.Log.Warn("cannot check the settings of the channel", "error", err)
			}
		})
	}
	all.Wait()
}

// Checkpoint takes one of everything and trims. Trimming waits for the server
// when that is away.
func (c *Checkpointer) Checkpoint(ctx context.Context) error {
	began := time.Now()
	wrote, err := c.write(ctx)
	c.Past.note(began, wrote, c.Saver.Size(), err)
	if err != nil || !c.Server.Connected() {
		return err
	}
	for _, in := range c.Instances {
		if err := c.trim(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// write says whether there was something new.
func (c *Checkpointer) write(ctx context.Context) (wrote bool, err error) {
	var updates []view.Update
	var from []*view.View
	giveUp := func() {
		for _, view := range from {
			view.GiveUp()
		}
	}
	for _, in := range c.Instances {
		u, changed, err := in.Committed.Begin()
		if err != nil {
			giveUp()
			return false, err
		}
		if changed {
			updates, from = append(updates, u), append(from, in.Committed)
		}
	}
	if len(updates) == 0 {
		return false, nil
	}
	letters := c.Instances[0].Run.Letters.Reached()
	// The checkpoint must never be ahead of what is on disk of the channels.
	if err := c.Server.SyncFiles(ctx); err != nil {
		giveUp()
		return false, err
	}
	if err := c.Instances[0].noteLetters(letters); err != nil {
		giveUp()
		return false, err
	}
	if err := c.Announce(updates); err != nil {
		giveUp()
		return false, err
	}
	faultpoint.Hit(faultpoint.BeforeCheckpoint, "")
	if err := c.Saver.Save(updates); err != nil {
		giveUp()
		return false, err
	}
	for k, view := range from {
		view.Done(updates[k])
	}
	faultpoint.Hit(faultpoint.AfterCheckpoint, "")
	return true, nil
}

// Announce notes how far the keys of a checkpoint reach, before they are
// written. A server outside may lose frames that it had
// acknowledged, and a crash may leave keys without their checkpoint: then these
// are ahead of the channel, and nothing else would tell.
func (c *Checkpointer) Announce(updates []view.Update) error {
	if c.Server.Embedded() {
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
func (c *Checkpointer) trim(ctx context.Context, in *Instance) error {
	own, _ := in.Committed.Covered()
	last := in.Progress.Last.Load() // before anything is asked of what is in the frames up to it
	before := min(own, last)
	if rule.TrimBound {
		for _, r := range in.readers {
			if r.hasEnded() && r.endIsKept() { // else a cut of the power may take its end
				continue
			}
			before = min(before, r.needs(r.edge, last))
		}
	} else {
		before = last
	}
	if before <= c.Trimmed[in] {
		return nil
	}
	if err := c.refresh(ctx, in, before); err != nil {
		return err
	}
	switch err := in.Channel.Trim(ctx, before); {
	case errors.Is(err, channel.ErrMayNot):
		return nil
	case err != nil:
		return err
	}
	c.Trimmed[in] = before
	info, err := in.Channel.Info(ctx)
	if err != nil {
		return err
	}
	in.Progress.stored.Store(int64(info.Bytes))
	in.poke()
	return nil
}

// refresh enters the instance's owner once more where its entry would hold the trim back. Where it is not the owner the
// trim leaves the entry where it is.
func (c *Checkpointer) refresh(ctx context.Context, in *Instance, before uint64) error {
	t := in.Task.Load()
	if t == nil || t.Ownership.taken.Claim >= before {
		return nil
	}
	err := register.Refresh(ctx, in.Channel, in.Run.Clock, t.Ownership.Owner, before)
	if lost := (*register.LostError)(nil); errors.As(err, &lost) {
		return nil
	}
	return err
}

// Saver makes checkpoints durable, as [checkpoint.Store.Write] does.
type Saver interface {
	Save(updates []view.Update) error
	Size() int64 // bytes on disk
}

// Badger is the saver of a store.
type Badger struct{ Store *checkpoint.Store }

func (b Badger) Save(updates []view.Update) error {
	list := make([]checkpoint.Update, len(updates))
	for k, u := range updates {
		list[k] = checkpoint.Update{Instance: u.Vault.(*checkpoint.Instance), Checkpoint: u.Checkpoint, Changes: u.Keys}
	}
	return b.Store.Write(list)
}

func (b Badger) Size() int64 { return b.Store.Size() }

var _ Saver = Badger{}
