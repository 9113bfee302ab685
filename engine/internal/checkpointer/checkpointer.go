package checkpointer

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"penstock/engine/faultpoint"
	"penstock/engine/internal/logsample"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/view"
	"penstock/engine/internal/waits"
)

// Instance is what the checkpointer asks of an instance.
type Instance interface {
	// View is what the instance has committed.
	View() *view.View
	// Trim drops from its channel the frames that are no longer needed once a checkpoint is written.
	Trim(ctx context.Context) error
	// RestoreSettings puts the settings of its channel right.
	RestoreSettings(ctx context.Context)
}

// Pipeline is what the checkpointer asks of all instances together.
type Pipeline interface {
	// LettersReached is the sequence up to which dead letters are kept.
	LettersReached() uint64
	// NoteLetters notes in the store that they are.
	NoteLetters(reached uint64) error
	// Explain is the text of an error for people.
	Explain(err error) string
}

// Checkpointer writes the committed state of all instances to the store at an
// interval, and has their channels trimmed up to what is then no longer needed. It
// is the only one that does either.
type Checkpointer struct {
	Saver     Saver
	Instances []Instance
	Pipeline  Pipeline
	Interval  time.Duration
	Server    ports.Server
	Log       *slog.Logger
	Lines     *logsample.Sampler
	Kicked    chan struct{} // holds one request for a checkpoint now
	Past      Past

	trouble    trouble
	reconnects uint64 // of the broker, when the settings were last looked at
}

// Kick asks for a checkpoint now. Safe from any goroutine; never blocks.
func (c *Checkpointer) Kick() {
	select {
	case c.Kicked <- struct{}{}:
	default:
	}
}

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

// DirtyLimit is how much memory the changed states of a keyed stage may take
// before a checkpoint is taken early.
const DirtyLimit = 32 << 20

// settingsInterval is how often the streams are looked at for settings that
// another client changed, besides after each reconnect.
const settingsInterval = 30 * time.Second

// restoreSettings puts the streams' settings right. That a stream is gone is
// found out, and told, by who needs it next.
func (c *Checkpointer) restoreSettings(ctx context.Context) {
	c.reconnects = c.Server.Reconnects()
	var all sync.WaitGroup // side by side: each may have to wait for a leader of its own
	for _, in := range c.Instances {
		all.Go(func() { in.RestoreSettings(ctx) })
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
		if err := in.Trim(ctx); err != nil {
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
		u, changed, err := in.View().Begin()
		if err != nil {
			giveUp()
			return false, err
		}
		if changed {
			updates, from = append(updates, u), append(from, in.View())
		}
	}
	if len(updates) == 0 {
		return false, nil
	}
	letters := c.Pipeline.LettersReached()
	// The checkpoint must never be ahead of what is on disk of the channels.
	if err := c.Server.SyncFiles(ctx); err != nil {
		giveUp()
		return false, err
	}
	if err := c.Pipeline.NoteLetters(letters); err != nil {
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
