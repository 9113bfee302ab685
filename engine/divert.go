package engine

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/plan"
)

// divert takes the head of an input, which is out of attempts, without calling
// the stage. Its letter is written before; a crash in between writes the same
// letter again, which changes nothing.
func (t *task) divert(ctx context.Context, i *input, f *failure) error {
	if f.Drop {
		t.drop(i, f)
		return nil
	}
	if t.stopsAtLimit(f) {
		return t.atLimit(f)
	}
	if !f.Final && t.definition.Options.AtLimit == plan.DropMessage {
		t.drop(i, f)
		return nil
	}
	if err := t.notePassed(f); err != nil {
		return err
	}
	if err := t.send(ctx, t.letter(i, f), f); err != nil {
		return err
	}
	t.batch.tally.AddLetters(string(f.attempts.Reason), 1)
	t.tracePassed(i, f, 1)
	t.pass(i)
	return nil
}

// stopsAtLimit says whether a message that is out of attempts ends the life of
// the stage. What was before it is committed first.
func (t *task) stopsAtLimit(f *failure) bool {
	limit := t.definition.Options.AtLimit
	return !f.Final && (limit == plan.StopStage || limit == plan.EscalateStage)
}

// drop takes the head of an input without effect and without a dead letter.
func (t *task) drop(i *input, f *failure) {
	t.logOften(slog.LevelWarn, alike(f.Error), "a message was dropped", "message", f.Unit, "attempts", f.Count, "error", f.Error)
	t.batch.tally.Dropped++
	t.tracePassed(i, f, 0)
	t.pass(i)
}

func (t *task) pass(i *input) {
	t.observed.stats.unsaved.Store(true)
	i.take()
	t.moved(i)
	t.batch.last = call{} // it called nothing
}

func (t *task) atLimit(f *failure) error {
	if err := t.forgetFailure(f); err != nil {
		return err
	}
	return &AtLimitError{Stage: t.definition.Name, Message: f.Unit, Attempts: f.Count, Reason: f.Error}
}

// letter tells the story of a message that failed. That of a replay is the next
// round of its letter.
func (t *task) letter(i *input, f *failure) dlq.Letter {
	var l dlq.Letter
	if i.replays != nil {
		l = i.replays.request(i.head.offset).Again()
	} else {
		l = dlq.Letter{
			Pipeline: t.definition.Pipeline.Name,
			Stage:    t.definition.Name,
			Input:    i.definition.Stream.String(),
			Offset:   i.head.offset,
			Key:      string(i.head.message.Key),
			Value:    append([]byte(nil), i.head.message.Value...),
			Codec:    i.definition.Stream.CodecName(),
			Time:     time.Unix(0, i.head.message.Time),
		}
	}
	a := f.attempts
	if len(a.Key) > 0 {
		l.Key = string(a.Key)
	}
	l.Reason, l.Error, l.Panic, l.Stack, l.Chain, l.Attempts = a.Reason, a.Error, a.Panic, a.Stack, a.Chain, a.Tries
	l.AttemptsOmitted = max(a.Count-len(a.Tries), 0)
	l.Version, l.At = binaryVersion(), time.Now()
	return l
}

var binaryVersion = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			version += " " + setting.Value
		}
	}
	return version
})
