package task

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
	"penstock/engine/internal/answer"
	"penstock/engine/internal/logsample"
	"penstock/engine/internal/waits"
	"penstock/engine/observe"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// lettersAhead is how many letters may be under way at once. A commit waits for
// those of the messages that it passes.
const lettersAhead = 128

// letters are the dead letters of a task that are on their way to the
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
func (t *Task) send(ctx context.Context, l dlq.Letter, f *Failure) error {
	if !t.letters.ahead.TryAcquire(1) {
		t.endTurn(ctx) // the queue may be full for long, and others go on
		if err := t.letters.ahead.Acquire(ctx, 1); err != nil {
			return err
		}
	}
	t.letters.pending.Add(1)
	t.Waiting.keeping.begin(&t.Waiting.waits)
	t.letters.wait.Go(func() {
		defer t.letterDone()
		err := t.putLetter(ctx, l)
		if err == nil {
			faultpoint.Hit(faultpoint.MidDivert, t.Definition.Name)
			if !f.told.Swap(true) { // else from a life that did not commit
				t.diverted(l)
			}
			return
		}
		t.letters.mu.Lock()
		defer t.letters.mu.Unlock()
		if t.letters.err == nil {
			t.letters.err = err
		}
	})
	return nil
}

func (t *Task) letterDone() {
	t.letters.ahead.Release(1)
	t.Waiting.keeping.end(&t.Waiting.waits)
	if t.letters.pending.Add(-1) == 0 {
		t.poke()
	}
}

// delivered waits until every letter is kept.
func (t *Task) delivered(ctx context.Context) error {
	t.letters.wait.Wait()
	t.letters.mu.Lock()
	err := t.letters.err
	t.letters.err = nil
	t.letters.mu.Unlock()
	if reached := t.Run.Letters.Reached(); err == nil && reached > t.LettersNoted.Load() {
		err = t.keepLetters(ctx, reached)
	}
	return err
}

// keepLetters sees to it that no cut of the power takes a letter and leaves the
// commit that passes its message.
func (t *Task) keepLetters(ctx context.Context, reached uint64) error {
	if err := t.Run.syncLetters(ctx); err != nil {
		return err
	}
	return t.noteLetters(reached)
}

// syncLetters brings the dead letters to the disk, where the server does that at intervals.
func (r *Run) syncLetters(ctx context.Context) error {
	return r.Server.SyncStreamFiles(ctx, dlq.StreamName(r.Plan.Name))
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
var errLettersFull = errors.New("the dead letters are full while the pipeline stops")

// putLetter waits while the queue is full: a letter is never dropped.
func (t *Task) putLetter(ctx context.Context, l dlq.Letter) error {
	faultpoint.Hit(faultpoint.BeforeDivert, t.Definition.Name)
	for delay := fullDelay; ; delay = min(2*delay, fullDelayMax) {
		_, err := t.Run.Letters.Put(ctx, l)
		switch {
		case err == nil:
			t.lettersHaveRoom()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, dlq.ErrFull):
			return answer.Fatal(fmt.Errorf("store the dead letter %s: %w", l.ID(), err))
		}
		t.lettersAreFull(l, err)
		select {
		case <-time.After(delay):
		case <-t.Run.drain.begun:
			return errLettersFull
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lettersAreFull gives the alarm, once for all letters that wait.
func (t *Task) lettersAreFull(l dlq.Letter, err error) {
	because := t.Run.Explain(err)
	var full *dlq.FullError
	if errors.As(err, &full) {
		because = full.Because
	}
	t.letters.mu.Lock()
	due := time.Since(t.letters.alarmed) >= fullAlarm
	t.letters.full = true
	t.Waiting.waits.Begin(waits.Letters, because)
	if due {
		t.letters.alarmed = time.Now()
	}
	t.letters.mu.Unlock()
	if due {
		err = remedy.Errorf("%w: %s; replay or discard some, or allow more (%v and %v)",
			dlq.ErrFull, because, remedy.DeadLetterCount, remedy.DeadLetterBytes)
		t.Run.tell(supervise.Event{Child: t.Definition.Name, Kind: observe.LettersFull, Err: err, Detail: l.ID()})
	}
}

func (t *Task) lettersHaveRoom() {
	t.letters.mu.Lock()
	was := t.letters.full
	t.letters.full, t.letters.alarmed = false, time.Time{}
	if was {
		t.Waiting.waits.Begin(waits.Letters, keepingLetters)
	}
	t.letters.mu.Unlock()
	if was {
		t.Log.Info("the dead letters have space again: the stage resumes")
	}
}

// diverted tells of a letter that is kept. It counts with the commit that passes its message.
func (t *Task) diverted(l dlq.Letter) {
	t.logOften(slog.LevelWarn, string(l.Reason)+": "+logsample.Alike(l.Error), "a message became a dead letter", "id", l.ID(), "reason", l.Reason, "round", max(l.Round, 1),
		"attempts", len(l.Attempts)+l.AttemptsOmitted, "error", l.Error, "show", remedy.GetLetter.For(l.ID()))
	t.Run.tell(supervise.Event{Child: t.Definition.Name, Kind: observe.Diverted, Detail: l.ID()})
	if told := t.Run.Settings.OnDeadLetter; told != nil {
		if err := supervise.Call(func() error { told(l); return nil }); err != nil {
			t.logOften(slog.LevelError, logsample.Alike(err.Error()), "Config.OnDeadLetter failed", "id", l.ID(), "error", err)
		}
	}
}
