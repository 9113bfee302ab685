package checkpointer

import (
	"context"
	"log/slog"
	"time"

	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/logsample"
	"penstock/engine/internal/waits"
)

// trouble tells of checkpoints that fail: when that begins, when the
// reason becomes another, and when it is over. In between, the wait for a
// checkpoint is told of as any other wait that lasts.
type trouble struct {
	since  time.Time // zero: the last checkpoint was made
	tries  int
	reason string // that was logged; "": none was
}

// tried notes how a checkpoint went.
func (c *Checkpointer) tried(ctx context.Context, w *waits.Set, err error) {
	t := &c.trouble
	switch {
	case err == nil:
		w.End(waits.Checkpoint)
		if t.reason != "" {
			c.logSeldom(slog.LevelInfo, w.Now(), "", "checkpoints are written again", "after", w.Now().Sub(t.since).Round(time.Millisecond), "failed", t.tries)
		}
		*t = trouble{}
		return
	case ctx.Err() != nil:
		return
	case t.since.IsZero():
		t.since = w.Now()
	}
	t.tries++
	isFull := diskspace.IsNoSpace(err) // more is said of that by who watches the disk
	w.BeginAs(waits.Checkpoint, waits.Begun{Detail: c.Pipeline.Explain(err), IsTold: !isFull})
	switch reason := logsample.Alike(err.Error()); {
	case isFull:
		c.Log.Debug("a checkpoint waits for free space", "error", err)
	case reason != t.reason:
		t.reason = reason
		c.logSeldom(slog.LevelWarn, w.Now(), reason, "a checkpoint failed; trying again after each interval. "+
			"Until one is written, no channel is trimmed, and a restart replays what was committed since the last one", "error", err, "interval", c.Interval)
	}
}

// logSeldom bounds the lines also when checkpoints fail and succeed in turn.
func (c *Checkpointer) logSeldom(level slog.Level, now time.Time, kind, line string, args ...any) {
	c.Lines.Write(c.Log, level, logsample.Kind{Line: line, About: kind}, now, args...)
}
