package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"penstock/dlq"
	"penstock/engine/faultpoint"
)

// divert writes the head of an input to the dead letters and takes it, without
// calling the stage. A crash in between writes the same letter again, which
// changes nothing.
func (in *session) divert(ctx context.Context, i *input) error {
	if in.attempts.Drop {
		in.drop(i)
		return nil
	}
	letter := in.letter(i)
	if err := in.putLetter(ctx, letter); err != nil {
		return err
	}
	faultpoint.Hit(faultpoint.MidDivert, in.definition.name)
	in.log.Warn("a message was diverted to the dead letters", "message", in.attempts.Unit,
		"reason", letter.Reason, "attempts", in.attempts.Count, "error", letter.Error, "id", letter.ID())
	in.stats.DeadLetters.Add(1)
	in.pass(i)
	return nil
}

// drop takes the head of an input without effect and without a dead letter,
// because the recovery function said so.
func (in *session) drop(i *input) {
	in.log.Warn("a message was dropped by the recovery function", "message", in.attempts.Unit, "error", in.attempts.Error)
	in.stats.Dropped.Add(1)
	in.pass(i)
}

func (in *session) pass(i *input) {
	in.stats.unsaved.Store(true)
	in.currentAt = i.next
	i.take()
	in.moved(i, true)
}

// putLetter waits while the queue is full: a letter is never dropped.
func (in *session) putLetter(ctx context.Context, letter dlq.Letter) error {
	for delay := time.Second; ; delay = min(2*delay, 30*time.Second) {
		_, err := in.run.letters.Put(ctx, letter)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, dlq.ErrFull):
			return Fatal(fmt.Errorf("keep the dead letter %s: %w", letter.ID(), err))
		}
		in.log.Error("the stage waits: a dead letter cannot be kept", "id", letter.ID(), "error", err)
		if err := pause(ctx, delay); err != nil {
			return err
		}
	}
}

func (in *session) letter(i *input) dlq.Letter {
	a := in.attempts
	return dlq.Letter{
		Pipeline: in.definition.pipeline.name,
		Stage:    in.definition.name,
		Input:    i.definition.stream.String(),
		Offset:   i.next,
		Key:      string(i.head.message.Key),
		Value:    append([]byte(nil), i.head.message.Value...),
		Codec:    i.definition.stream.codecName(),
		Time:     time.Unix(0, i.head.message.Time),
		Reason:   a.Reason,
		Error:    a.Error,
		Panic:    a.Panic,
		Stack:    a.Stack,
		Attempts: a.Tries,
		Version:  binaryVersion(),
		At:       time.Now(),
	}
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
