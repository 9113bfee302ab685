package task

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/logsample"
	"penstock/engine/internal/plan"
)

// divert takes the head of an input, which is out of attempts, without calling
// the stage. Its letter is written before; a crash in between writes the same
// letter again, which changes nothing.
func (t *Task) divert(ctx context.Context, i *Input, f *Failure) error {
	if f.Drop {
		t.drop(i, f)
		return nil
	}
	if t.stopsAtLimit(f) {
		return t.atLimit(f)
	}
	if !f.Final && t.Definition.Options.AtLimit == plan.DropMessage {
		t.drop(i, f)
		return nil
	}
	if err := t.notePassed(f); err != nil {
		return err
	}
	if err := t.send(ctx, t.letter(i, f), f); err != nil {
		return err
	}
	t.Batch.tally.AddLetters(string(f.attempts.Reason), 1)
	t.tracePassed(i, f, 1)
	t.pass(i)
	return nil
}

// stopsAtLimit says whether a message that is out of attempts ends the life of
// the stage. What was before it is committed first.
func (t *Task) stopsAtLimit(f *Failure) bool {
	limit := t.Definition.Options.AtLimit
	return !f.Final && (limit == plan.StopStage || limit == plan.EscalateStage)
}

// drop takes the head of an input without effect and without a dead letter.
func (t *Task) drop(i *Input, f *Failure) {
	t.logOften(slog.LevelWarn, logsample.Alike(f.Error), "a message was dropped", "message", t.nameOf(f), "attempts", f.Count, "error", f.Error)
	t.Batch.tally.Dropped++
	t.tracePassed(i, f, 0)
	t.pass(i)
}

func (t *Task) pass(i *Input) {
	t.Observed.Stats.unsaved.Store(true)
	i.take()
	t.moved(i)
	t.Batch.last = call{} // it called nothing
}

func (t *Task) atLimit(f *Failure) error {
	if err := t.forgetFailure(f); err != nil {
		return err
	}
	return &AtLimitError{Stage: t.Definition.Name, Message: t.nameOf(f), Attempts: f.Count, Reason: f.Error}
}

// letter tells the story of a message that failed. That of a replay is the next
// round of its letter.
func (t *Task) letter(i *Input, f *Failure) dlq.Letter {
	var l dlq.Letter
	if i.Replays != nil {
		l = i.Replays.request(i.head.Offset).Again()
	} else {
		l = dlq.Letter{
			Origin: dlq.Origin{
				Pipeline: t.Definition.Pipeline.Name, Stage: t.Definition.Name, Instance: t.ID.Number,
				Input: i.Input.Stream.String(), InputInstance: i.From.Number, Offset: i.head.Offset,
			},
			Content: dlq.Content{
				Key:   string(i.head.Message.Key),
				Value: append([]byte(nil), i.head.Message.Value...),
				Codec: i.Input.Stream.CodecName(),
				Time:  time.Unix(0, i.head.Message.Time),
			},
		}
	}
	a := f.attempts
	if len(a.Key) > 0 {
		l.Key = string(a.Key)
	}
	l.Cause = a.cause()
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
