package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"penstock/dlq"
	"penstock/engine/faultpoint"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// lettersAhead is how many letters may be under way at once. A commit waits for
// those of the messages that it passes.
const lettersAhead = 128

// letters are the dead letters of a session that are on their way to the
// queue.
type letters struct {
	ahead   *semaphore.Weighted
	wait    sync.WaitGroup
	pending atomic.Int64

	mu      sync.Mutex
	err     error     // the first
	full    bool      // the queue has no room for them
	alarmed time.Time // it was told
}

func newLetters() letters { return letters{ahead: semaphore.NewWeighted(lettersAhead)} }

// send puts the letter of a failed message on its way.
func (in *session) send(ctx context.Context, l dlq.Letter, f *failure) error {
	if !in.letters.ahead.TryAcquire(1) {
		in.endTurn(ctx) // the queue may be full for long, and others go on
		if err := in.letters.ahead.Acquire(ctx, 1); err != nil {
			return err
		}
	}
	in.letters.pending.Add(1)
	in.waiting.keeping.begin(&in.waiting.waits)
	in.letters.wait.Go(func() {
		defer in.letterDone()
		err := in.putLetter(ctx, l)
		if err == nil {
			faultpoint.Hit(faultpoint.MidDivert, in.definition.name)
			if !f.told.Swap(true) { // else from a life that did not commit
				in.diverted(l)
			}
			return
		}
		in.letters.mu.Lock()
		defer in.letters.mu.Unlock()
		if in.letters.err == nil {
			in.letters.err = err
		}
	})
	return nil
}

func (in *session) letterDone() {
	in.letters.ahead.Release(1)
	in.waiting.keeping.end(&in.waiting.waits)
	if in.letters.pending.Add(-1) == 0 {
		in.poke()
	}
}

// delivered waits until every letter is kept.
func (in *session) delivered(ctx context.Context) error {
	in.letters.wait.Wait()
	in.letters.mu.Lock()
	err := in.letters.err
	in.letters.err = nil
	in.letters.mu.Unlock()
	if reached := in.run.letters.Reached(); err == nil && reached > in.lettersNoted.Load() {
		err = in.keepLetters(ctx, reached)
	}
	return err
}

// keepLetters sees to it that no cut of the power takes a letter and leaves the
// commit that passes its message.
func (in *session) keepLetters(ctx context.Context, reached uint64) error {
	if err := in.run.syncLetters(ctx); err != nil {
		return err
	}
	return in.noteLetters(reached)
}

// syncLetters brings the dead letters to the disk, where the server does that at intervals.
func (r *run) syncLetters(ctx context.Context) error {
	return r.broker.SyncStreamFiles(ctx, dlq.StreamName(r.pipeline.name))
}

// While the queue is full it is asked again after the first of these delays,
// then after longer ones up to the second, and the alarm is repeated.
const (
	fullDelay    = 500 * time.Millisecond
	fullDelayMax = 5 * time.Second
	fullAlarm    = time.Minute
)

// errLettersFull ends a life of the stage that waits for room when the pipeline
// stops. The next run writes the letter.
var errLettersFull = errors.New("the dead letters are full when the pipeline stops")

// putLetter waits while the queue is full: a letter is never dropped.
func (in *session) putLetter(ctx context.Context, l dlq.Letter) error {
	faultpoint.Hit(faultpoint.BeforeDivert, in.definition.name)
	for delay := fullDelay; ; delay = min(2*delay, fullDelayMax) {
		_, err := in.run.letters.Put(ctx, l)
		switch {
		case err == nil:
			in.lettersHaveRoom()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, dlq.ErrFull):
			return Fatal(fmt.Errorf("keep the dead letter %s: %w", l.ID(), err))
		}
		in.lettersAreFull(l, err)
		select {
		case <-time.After(delay):
		case <-in.run.draining:
			return errLettersFull
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lettersAreFull gives the alarm, once for all letters that wait.
func (in *session) lettersAreFull(l dlq.Letter, err error) {
	because := err.Error()
	var full *dlq.FullError
	if errors.As(err, &full) {
		because = full.Because
	}
	in.letters.mu.Lock()
	due := time.Since(in.letters.alarmed) >= fullAlarm
	in.letters.full = true
	in.waiting.waits.begin(waitLetters, because)
	if due {
		in.letters.alarmed = time.Now()
	}
	in.letters.mu.Unlock()
	if due {
		err = remedy.Errorf("%w: %s; replay or discard some, or allow more (%v and %v)",
			dlq.ErrFull, because, remedy.DeadLetterCount, remedy.DeadLetterBytes)
		in.run.tell(supervise.Event{Child: in.definition.name, Kind: supervise.LettersFull, Err: err, Detail: l.ID()})
	}
}

func (in *session) lettersHaveRoom() {
	in.letters.mu.Lock()
	was := in.letters.full
	in.letters.full, in.letters.alarmed = false, time.Time{}
	if was {
		in.waiting.waits.begin(waitLetters, keepingLetters)
	}
	in.letters.mu.Unlock()
	if was {
		in.log.Info("the dead letters have room again: the stage goes on")
	}
}

// diverted counts and tells of a letter that is kept.
func (in *session) diverted(l dlq.Letter) {
	in.observed.stats.countLetter(string(l.Reason))
	in.logOften(slog.LevelWarn, string(l.Reason)+": "+alike(l.Error), "a message was diverted to the dead letters", "id", l.ID(), "reason", l.Reason, "round", max(l.Round, 1),
		"attempts", len(l.Attempts)+l.AttemptsOmitted, "error", l.Error, "show", remedy.GetLetter.For(l.ID()))
	in.run.tell(supervise.Event{Child: in.definition.name, Kind: supervise.Diverted, Detail: l.ID()})
	if told := in.run.config.OnDeadLetter; told != nil {
		if err := supervise.Call(func() error { told(l); return nil }); err != nil {
			in.logOften(slog.LevelError, alike(err.Error()), "Config.OnDeadLetter failed", "id", l.ID(), "error", err)
		}
	}
}
