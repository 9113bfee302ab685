package dlq

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/testing/natsserver"
)

func nextRound(l Letter, value string) Letter {
	next := Replay{Letter: l, Stage: l.Stage}.Again()
	next.Reason, next.Error, next.Value = ReasonError, "again", []byte(value)
	return next
}

func TestALaterRoundReplaces(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	first := letterAt(33)
	mustPut(t, q, first, true)
	first, _, _ = q.Get(t.Context(), first.ID())
	second := nextRound(first, "edited")
	mustPut(t, q, second, true)
	mustPut(t, q, second, false)
	mustPut(t, q, letterAt(33), false) // the first round, once more
	wantCount(t, q, 1)
	got, _, err := q.Get(t.Context(), first.ID())
	if err != nil || got.Round != 2 || string(got.Value) != "edited" || got.Sequence <= first.Sequence ||
		len(got.History) != 1 || got.History[0].Reason != ReasonPanic || !got.History[0].At.Equal(first.At) {
		t.Fatalf("Get = %+v, %v", got, err)
	}
	other := second
	other.Value = []byte("other")
	if _, err := q.Put(t.Context(), other); !errors.Is(err, ErrConflict) {
		t.Fatalf("Put of another message of the same round = %v, want ErrConflict", err)
	}
}

func TestALaterRoundNeedsNoEarlierOne(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := letterAt(1)
	l.Round = 3
	mustPut(t, q, l, true)
	l.Round = 2
	mustPut(t, q, l, false)
}

// A full queue takes a later round, which needs no further place, and drops nothing for it.
func TestALaterRoundInAFullQueue(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.MaxMessages = 2
	q := open(t, natsserver.Start(t).JetStream(), cfg)
	mustPut(t, q, letterAt(1), true)
	mustPut(t, q, letterAt(2), true)
	mustPut(t, q, nextRound(letterAt(1), "1"), true)
	if _, err := q.Put(t.Context(), letterAt(3)); !errors.Is(err, ErrFull) {
		t.Fatalf("Put = %v, want ErrFull", err)
	}
	if got, err := offsets(t.Context(), q); err != nil || !slices.Equal(got, []uint64{2, 1}) {
		t.Fatalf("Each gave %v, %v", got, err)
	}
}

func TestALargerRoundInAFullQueueDropsNothing(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.MaxBytes = 1500
	q := open(t, natsserver.Start(t).JetStream(), cfg)
	mustPut(t, q, letterAt(1), true)
	mustPut(t, q, letterAt(2), true)
	if _, err := q.Put(t.Context(), nextRound(letterAt(1), string(make([]byte, 2000)))); !errors.Is(err, ErrFull) {
		t.Fatalf("Put = %v, want ErrFull", err)
	}
	if got, err := offsets(t.Context(), q); err != nil || !slices.Equal(got, []uint64{1, 2}) {
		t.Fatalf("Each gave %v, %v", got, err)
	}
}

func TestALaterRoundByManyIsOnce(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(33), true)
	var written atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if w, err := q.Put(t.Context(), nextRound(letterAt(33), "33")); err != nil {
				t.Error(err)
			} else if w {
				written.Add(1)
			}
		})
	}
	all.Wait()
	if written.Load() != 1 {
		t.Fatalf("written %d times", written.Load())
	}
}

// A stream of an earlier build gets the limit of one letter per subject when it is taken over.
func TestOpenTakesOverAStreamWithoutRounds(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	cfg := testConfig().stream()
	cfg.MaxMsgsPerSubject = 0
	if _, err := js.CreateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	q := open(t, js, testConfig())
	mustPut(t, q, letterAt(1), true)
	if l, _, err := q.Get(t.Context(), letterAt(1).ID()); err != nil || l.Round != 1 {
		t.Fatalf("Get = %+v, %v; want round 1", l, err)
	}
	mustPut(t, q, nextRound(letterAt(1), "1"), true)
	wantCount(t, q, 1)
}

func TestHistoryKeepsTheLast(t *testing.T) {
	t.Parallel()
	l := letterAt(1)
	for i := range 14 {
		l.At, l.Error = time.Unix(int64(i+1), 0), fmt.Sprint(i+1)
		l.Attempts, l.AttemptsOmitted, l.Reason = make([]Attempt, 3), 2, ReasonError
		l = Replay{Letter: l.stored(fullLimits), Stage: "other"}.Again()
	}
	if l.Round != 15 || len(l.History) != 10 || l.To != "other" || l.Error != "" || l.Attempts != nil {
		t.Fatalf("%+v", l)
	}
	want := Round{At: time.Unix(5, 0).UTC(), Reason: ReasonError, Error: "5", Attempts: 5, To: "other"}
	if l.History[0] != want || l.History[9].Error != "14" {
		t.Fatalf("history %+v", l.History)
	}
}

func TestErrorChain(t *testing.T) {
	t.Parallel()
	inner := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	err := fmt.Errorf("load: %w", errors.Join(inner, errors.New("b")))
	want := []string{
		"*fmt.wrapError: load: open x: file does not exist\nb", "*errors.joinError: open x: file does not exist\nb",
		"*fs.PathError: open x: file does not exist", "*errors.errorString: file does not exist", "*errors.errorString: b",
	}
	if got := ErrorChain(err); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %q", got)
	}
	if got := ErrorChain(nil); got != nil {
		t.Fatalf("got %q", got)
	}
	if got := ErrorChain(endless{}); len(got) > 64 {
		t.Fatalf("%d errors", len(got))
	}
}

type endless struct{}

func (endless) Error() string { return "endless" }
func (endless) Unwrap() error { return endless{} }
