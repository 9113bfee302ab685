package dlq

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// putAndRead puts a letter and returns it as it is read.
func putAndRead(t testing.TB, q *Queue, l Letter) Letter {
	t.Helper()
	mustPut(t, q, l, true)
	got, found, err := q.Get(t.Context(), l.ID())
	if err != nil || !found {
		t.Fatalf("Get = %v, %v", found, err)
	}
	return got
}

func mustReplay(t testing.TB, q *Queue, l Letter, o ReplayOptions) {
	t.Helper()
	if err := q.Replay(t.Context(), l, o); err != nil {
		t.Fatal(err)
	}
}

func next(t testing.TB, q *Queue, stage string, from uint64) (Replay, bool) {
	t.Helper()
	r, found, err := q.NextReplay(t.Context(), stage, 0, from)
	if err != nil {
		t.Fatal(err)
	}
	return r, found
}

func wantPending(t testing.TB, q *Queue, want map[string]uint64) {
	t.Helper()
	if got, err := q.PendingReplays(t.Context()); err != nil || !maps.Equal(got, want) {
		t.Fatalf("PendingReplays = %v, %v; want %v", got, err, want)
	}
}

func wantCurrent(t testing.TB, q *Queue, r Replay, want bool) {
	t.Helper()
	if got, err := q.IsCurrent(t.Context(), r); err != nil || got != want {
		t.Fatalf("IsCurrent = %v, %v; want %v", got, err, want)
	}
}

// A letter of a value that a source could not send has no stage to go to.
func TestReplayOfWhatASourceCouldNotSendIsRefused(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	for _, input := range []string{"generator", "generator/bad"} {
		l := letterAt(7)
		l.Stage, l.Input = "generator", input
		l = putAndRead(t, q, l)
		for _, to := range []string{"", "worker"} {
			if err := q.Replay(t.Context(), l, ReplayOptions{To: to}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "source generator") {
				t.Errorf("Replay = %v", err)
			}
		}
	}
	wantPending(t, q, nil)
}

func TestReplayMakesItsStream(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := putAndRead(t, q, letterAt(1))
	if _, found := next(t, q, "worker", 0); found {
		t.Fatal("a request out of nothing")
	}
	wantPending(t, q, map[string]uint64{})
	if _, err := q.js.Stream(t.Context(), ReplayStreamName("fizzbuzz")); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Fatalf("the stream before it is needed: %v", err)
	}
	mustReplay(t, q, l, ReplayOptions{})
	stream, err := q.js.Stream(t.Context(), "fizzbuzz++replays")
	if err != nil {
		t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	if cfg.Retention != jetstream.LimitsPolicy || cfg.Discard != jetstream.DiscardNew || cfg.Storage != jetstream.FileStorage ||
		cfg.MaxMsgsPerSubject != 1 || cfg.Replicas != 1 || cfg.Metadata["penstock.identity"] != "id-1" || cfg.AllowDirect {
		t.Fatalf("config %+v", cfg)
	}
	if err := q.DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := q.js.Stream(t.Context(), ReplayStreamName("fizzbuzz")); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Fatalf("the stream after DeleteAll: %v", err)
	}
}

func TestReplayRunsItsCourse(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	full := letterAt(33)
	full.Key, full.Error, full.Stack, full.Attempts = "k", "boom", "stack", make([]Attempt, 3)
	l := putAndRead(t, q, full)
	mustReplay(t, q, l, ReplayOptions{})
	r, found := next(t, q, "worker", 0)
	if !found || r.Stage != "worker" || r.LetterSequence != l.Sequence || string(r.Value) != "33" || r.Key != "k" || r.Edited ||
		r.Round != 1 || r.Error != "boom" || r.AttemptsOmitted != 3 || r.ID() != l.ID() {
		t.Fatalf("NextReplay = %+v, %v", r, found)
	}
	wantCount(t, q, 1)
	wantCurrent(t, q, r, true)
	for range 2 { // a crash after the commit settles it again
		if err := q.Settle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		wantCount(t, q, 0)
		wantPending(t, q, map[string]uint64{})
		wantCurrent(t, q, r, false)
	}
	if err := q.Replay(t.Context(), l, ReplayOptions{}); !errors.Is(err, ErrStale) {
		t.Fatalf("Replay of what is settled: %v, want ErrStale", err)
	}
}

func TestSettleAfterACrashInBetween(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := putAndRead(t, q, letterAt(33))
	mustReplay(t, q, l, ReplayOptions{})
	r, _ := next(t, q, "worker", 0)
	if err := q.Discard(t.Context(), r.Letter); err != nil { // and there it died
		t.Fatal(err)
	}
	again, found := next(t, q, "worker", 0)
	if !found {
		t.Fatal("the request is gone")
	}
	if err := q.Settle(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	wantPending(t, q, map[string]uint64{})
}

func TestReplayThatFailsAgain(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := putAndRead(t, q, letterAt(33))
	for round := 2; round <= 3; round++ {
		mustReplay(t, q, l, ReplayOptions{})
		r, _ := next(t, q, "worker", 0)
		again := r.Again()
		again.Reason = ReasonError
		failed := putAndRead(t, q, again)
		wantCurrent(t, q, r, false)
		if err := q.Replay(t.Context(), l, ReplayOptions{}); !errors.Is(err, ErrStale) {
			t.Fatalf("Replay of the round before: %v, want ErrStale", err)
		}
		if err := q.Settle(t.Context(), r); err != nil { // of the old round: the new letter stays
			t.Fatal(err)
		}
		wantCount(t, q, 1)
		if failed.Round != round || len(failed.History) != round-1 {
			t.Fatalf("%+v", failed)
		}
		l = failed
	}
	if err := q.Replay(t.Context(), l, ReplayOptions{}); !errors.Is(err, ErrRounds) {
		t.Fatalf("Replay = %v, want ErrRounds", err)
	}
	if err := q.Replay(t.Context(), l, ReplayOptions{MaxRounds: 3}); !errors.Is(err, ErrRounds) {
		t.Fatalf("Replay = %v, want ErrRounds", err)
	}
	mustReplay(t, q, l, ReplayOptions{MaxRounds: -1})
}

// The engine died after Put of the next round: the request that it leaves behind does not stand in the way of the next.
func TestReplayTakesThePlaceOfAStaleRequest(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"", "logger"} {
		q := openNew(t)
		l := putAndRead(t, q, letterAt(33))
		mustReplay(t, q, l, ReplayOptions{})
		stale, _ := next(t, q, "worker", 0)
		l = putAndRead(t, q, nextRound(l, "33"))
		mustReplay(t, q, l, ReplayOptions{To: to})
		if err := q.Replay(t.Context(), l, ReplayOptions{}); !errors.Is(err, ErrPending) {
			t.Fatalf("Replay = %v, want ErrPending", err)
		}
		if err := q.Withdraw(t.Context(), stale); err != nil {
			t.Fatal(err)
		}
		stage := "worker"
		if to != "" {
			stage = to
		}
		r, found := next(t, q, stage, 0)
		if !found || r.Sequence <= stale.Sequence || r.LetterSequence != l.Sequence {
			t.Fatalf("NextReplay = %+v, %v", r, found)
		}
		wantPending(t, q, map[string]uint64{stage: 1})
	}
}

func TestReplayGivenTwiceIsGivenOnce(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := putAndRead(t, q, letterAt(33))
	edited := []byte("34")
	options := []ReplayOptions{{}, {To: "logger"}, {To: "other"}, {Value: &edited}}
	var done atomic.Int32
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			switch err := q.Replay(t.Context(), l, options[i%len(options)]); {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, ErrPending):
				t.Error(err)
			}
		})
	}
	all.Wait()
	pending, err := q.PendingReplays(t.Context())
	if err != nil || done.Load() != 1 || len(pending) != 1 {
		t.Fatalf("%d requests, %v, %v", done.Load(), pending, err)
	}
}

// Two stages give up on the same message: these are two letters, and two requests to one stage.
func TestReplaysOfOneMessageByTwoStages(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	a, b := letterAt(1), letterAt(1)
	b.Stage = "logger"
	mustReplay(t, q, putAndRead(t, q, a), ReplayOptions{})
	mustReplay(t, q, putAndRead(t, q, b), ReplayOptions{To: "worker"})
	wantPending(t, q, map[string]uint64{"worker": 2})
	first, _ := next(t, q, "worker", 0)
	second, found := next(t, q, "worker", first.Sequence+1)
	if first.Letter.Stage != "worker" || !found || second.Letter.Stage != "logger" || second.Stage != "worker" {
		t.Fatalf("%+v\n%+v", first, second)
	}
	if _, found := next(t, q, "worker", second.Sequence+1); found {
		t.Fatal("a third request")
	}
}

func TestReplayToAnotherStageAndEdited(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := putAndRead(t, q, letterAt(33))
	edited := []byte("\xff\x1b[2J")
	mustReplay(t, q, l, ReplayOptions{To: "logger", Value: &edited})
	r, found := next(t, q, "logger", 0)
	if !found || !r.Edited || !bytes.Equal(r.Value, edited) {
		t.Fatalf("%+v, %v", r, found)
	}
	again := r.Again()
	again.Reason = ReasonError
	got := putAndRead(t, q, again)
	if got.ID() != l.ID() || got.To != "logger" || !got.Edited || !bytes.Equal(got.Value, edited) {
		t.Fatalf("%+v", got)
	}
	mustReplay(t, q, got, ReplayOptions{}) // to where it failed last
	if r, found = next(t, q, "logger", r.Sequence+1); !found || r.Round != 2 {
		t.Fatalf("%+v, %v", r, found)
	}
	empty := []byte{}
	l = putAndRead(t, q, letterAt(34))
	mustReplay(t, q, l, ReplayOptions{Value: &empty})
	if r, _ = next(t, q, "worker", 0); !r.Edited || len(r.Value) != 0 {
		t.Fatalf("%+v", r)
	}
	if err := q.Replay(t.Context(), putAndRead(t, q, letterAt(35)), ReplayOptions{To: "*"}); !errors.Is(err, ErrInvalid) {
		t.Fatalf("Replay to a wildcard: %v, want ErrInvalid", err)
	}
	if err := q.Replay(t.Context(), letterAt(35), ReplayOptions{}); !errors.Is(err, ErrInvalid) {
		t.Fatalf("Replay of a letter that was not read: %v, want ErrInvalid", err)
	}
	huge := make([]byte, q.js.Conn().MaxPayload())
	if err := q.Replay(t.Context(), putAndRead(t, q, letterAt(36)), ReplayOptions{Value: &huge}); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("Replay of too much: %v, want ErrTooLarge", err)
	}
}

// The greatest letter can be replayed, and read in a listing before.
func TestReplayTheGreatest(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := greatest("a\n")
	l.Pipeline, l.Round = "fizzbuzz", 1
	l.Stage = strings.Repeat("s", 64) // a letter of a stage's own stream is one that a source could not send
	l.Key = strings.Repeat("\xff", 10_000)
	l.Value = bytes.Repeat([]byte("\x1b"), int(q.js.Conn().MaxPayload())-len(l.Key)-Overhead)
	mustPut(t, q, l, true)
	err := q.Select(t.Context(), Filter{WithoutValues: true}, func(l Letter) error {
		return q.Replay(t.Context(), l, ReplayOptions{To: "worker"})
	})
	if err != nil {
		t.Fatal(err)
	}
	r, found := next(t, q, "worker", 0)
	if !found || !bytes.Equal(r.Value, l.Value) || r.Key != l.Key || r.Letter.Stage != l.Stage {
		t.Fatalf("%v, %d bytes", found, len(r.Value))
	}
}

func TestARequestThatIsPassedOnIsThatOfAnotherInstance(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	edited := []byte("34")
	mustReplay(t, q, putAndRead(t, q, letterAt(33)), ReplayOptions{Value: &edited})
	first, _ := next(t, q, "worker", 0)
	for range 2 { // as after a death between, or by an owner before
		if err := q.PassOn(t.Context(), first, 2); err != nil {
			t.Fatal(err)
		}
	}
	if r, found := next(t, q, "worker", 0); found {
		t.Fatalf("it is there still: %+v", r)
	}
	r, found, err := q.NextReplay(t.Context(), "worker", 2, 0)
	if err != nil || !found || r.Sequence <= first.Sequence || !r.Edited || !bytes.Equal(r.Value, edited) || r.ID() != first.ID() {
		t.Fatalf("%+v, %t, %v", r, found, err)
	}
	if current, err := q.IsCurrent(t.Context(), r); err != nil || !current {
		t.Fatalf("it is not current: %v", err)
	}
}
