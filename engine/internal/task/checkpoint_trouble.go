package task

import (
	"context"
	"log/slog"
	"time"

	"penstock/engine/internal/diskspace"
)

// checkpointTrouble tells of checkpoints that fail: when that begins, when the
// reason becomes another, and when it is over. In between, the wait for a
// checkpoint is told of as any other wait that lasts.
type checkpointTrouble struct {
	since  time.Time // zero: the last checkpoint was made
	tries  int
	reason string // that was logged; "": none was
}

// tried notes how a checkpoint went.
func (c *Checkpointer) tried(ctx context.Context, w *waits, err error) {
	t := &c.trouble
	switch {
	case err == nil:
		w.end(waitCheckpoint)
		if t.reason != "" {
			c.logSeldom(slog.LevelInfo, w.now(), "", "checkpoints are written again", "after", w.now().Sub(t.since).Round(time.Millisecond), "failed", t.tries)
		}
		*t = checkpointTrouble{}
		return
	case ctx.Err() != nil:
		return
	case t.since.IsZero():
		t.since = w.now()
	}
	t.tries++
	isFull := diskspace.IsNoSpace(err) // more is said of that by who watches the disk
	w.set(waitCheckpoint, underWay{detail: c.Instances[0].Run.Explain(err), isTold: !isFull})
	switch reason := alike(err.Error()); {
	case isFull:
		c.Log.Debug("a checkpoint waits for free space", "error", err)
	case reason != t.reason:
		t.reason = reason
		c.logSeldom(slog.LevelWarn, w.now(), reason, "a checkpoint failed; trying again after each interval. "+
			"Until one is written, no channel is trimmed, and a restart replays what was committed since the last one", "error", err, "interval", c.Interval)
	}
}

// logSeldom bounds the lines also when checkpoints fail and succeed in turn.
func (c *Checkpointer) logSeldom(level slog.Level, now time.Time, kind, line string, args ...any) {
	c.Instances[0].Run.Sampled.write(c.Log, level, lineKind{"", line, kind}, now, args...)
}
