package dlq

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"penstock/internal/testing/natsserver"
)

func TestEncodeDecodeReplay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Replay{
			Letter: anyLetter().Draw(t, "letter"), Stage: "target", Instance: rapid.IntMin(0).Draw(t, "target instance"),
			Sequence: 7, LetterSequence: rapid.Uint64().Draw(t, "sequence"),
		}
		msg := encodeReplay(want, fullLimits, "w")
		got, err := decodeReplay(raw(msg, 7))
		if err != nil {
			t.Fatal(err)
		}
		if got.Stage != want.Stage || got.Instance != want.Instance || got.Sequence != 7 || got.LetterSequence != want.LetterSequence ||
			got.ID() != want.ID() || !bytes.Equal(got.Value, want.Value) || got.Key != want.Key || got.Round != max(want.Round, 1) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
		msg.Header.Set(headerReplayStage, "other")
		if _, err := decodeReplay(raw(msg, 7)); !errors.Is(err, ErrDamaged) {
			t.Fatalf("decode of another's: %v", err)
		}
	})
}

func TestNextReplayHandsOutWhatItCannotRead(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustReplay(t, q, putAndRead(t, q, letterAt(1)), ReplayOptions{})
	if _, err := q.js.Publish(t.Context(), "fizzbuzz.worker.0.replay.by.hand", nil); err != nil {
		t.Fatal(err)
	}
	first, _ := next(t, q, "worker", 0)
	r, found, err := q.NextReplay(t.Context(), "worker", 0, first.Sequence+1)
	if !found || !errors.Is(err, ErrDamaged) || r.Sequence != first.Sequence+1 {
		t.Fatalf("NextReplay = %+v, %v, %v", r, found, err)
	}
	if err := q.Withdraw(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, found := next(t, q, "worker", first.Sequence+1); found {
		t.Fatal("it is still there")
	}
}

// Somebody deletes the stream: what was pending is lost, the letters are not, and positions of stages stay behind.
func TestReplayStreamMadeAnew(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	impatient(q)
	l := putAndRead(t, q, letterAt(1))
	mustReplay(t, q, l, ReplayOptions{})
	old, _ := next(t, q, "worker", 0)
	if err := q.js.DeleteStream(t.Context(), ReplayStreamName("fizzbuzz")); err != nil {
		t.Fatal(err)
	}
	if _, found := next(t, q, "worker", 0); found {
		t.Fatal("a request out of nothing")
	}
	mustReplay(t, q, l, ReplayOptions{})
	if err := q.js.DeleteStream(t.Context(), ReplayStreamName("fizzbuzz")); err != nil {
		t.Fatal(err)
	}
	mustReplay(t, q, l, ReplayOptions{}) // does not know yet
	if r, found := next(t, q, "worker", old.Sequence+1); !found || r.ID() != l.ID() {
		t.Fatalf("%+v, %v", r, found)
	}
}

func TestReplayRefusesAForeignStream(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	cfg := replayConfig(q.stream.CachedInfo().Config, "fizzbuzz", time.Unix(1, 0))
	cfg.Metadata[metadataIdentity] = "id-2"
	if _, err := q.js.CreateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := q.Replay(t.Context(), putAndRead(t, q, letterAt(1)), ReplayOptions{}); !errors.Is(err, ErrForeign) {
		t.Fatalf("Replay = %v, want ErrForeign", err)
	}
	if _, _, err := q.NextReplay(t.Context(), "worker", 0, 0); !errors.Is(err, ErrForeign) {
		t.Fatalf("NextReplay = %v, want ErrForeign", err)
	}
}

func TestReplayOutlastsAnOutage(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	q := open(t, s.JetStream(), testConfig())
	failed := impatient(q)
	l := putAndRead(t, q, letterAt(33))
	outlast := func(what string, do func(context.Context) error) {
		t.Helper()
		s.Stop()
		var done sync.WaitGroup
		done.Go(func() {
			if err := do(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		})
		<-failed
		s.Again()
		done.Wait()
	}
	var r Replay
	outlast("replay", func(ctx context.Context) error { return q.Replay(ctx, l, ReplayOptions{}) })
	r, _ = next(t, q, "worker", 0)
	outlast("is current", func(ctx context.Context) error {
		current, err := q.IsCurrent(ctx, r)
		if err == nil && !current {
			err = errors.New("it is not")
		}
		return err
	})
	outlast("settle", func(ctx context.Context) error { return q.Settle(ctx, r) })
	wantCount(t, q, 0)
	wantPending(t, q, map[string]uint64{})
}

func TestOnReplay(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	hints := make(chan string, 10)
	stop, err := q.OnReplay(func(stage string, instance int) {
		if instance == 0 {
			hints <- stage
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	l := putAndRead(t, q, letterAt(1))
	mustReplay(t, q, l, ReplayOptions{To: "logger"})
	if got := <-hints; got != "logger" {
		t.Fatalf("hint %q", got)
	}
	stop()
	stop()
	mustReplay(t, q, putAndRead(t, q, letterAt(2)), ReplayOptions{})
	if len(hints) != 0 {
		t.Fatal("a hint after stop")
	}
	stop, err = q.OnReplay(func(string, int) {})
	if err != nil {
		t.Fatal(err)
	}
	q.js.Conn().Close()
	stop()
}
