package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
)

type purchase struct{ Amount int }

// ordersWithLetter is orders -> charge, which takes no amount below 2.
func ordersWithLetter(charge string) *engine.Pipeline {
	p := engine.New("values")
	orders := engine.Source(p, "orders", func(_ context.Context, n *int, emit engine.Emit[purchase]) error {
		if *n == 3 {
			return io.EOF
		}
		*n++
		emit(purchase{*n})
		return nil
	})
	engine.Sink(p.With(fast), charge, orders, func(_ context.Context, n *int, m engine.Message[purchase]) error {
		if m.Value.Amount < 2 {
			return errors.New("too little")
		}
		*n++
		return nil
	})
	return p
}

// runLogged is a run whose log is returned.
func runLogged(t *testing.T, p *engine.Pipeline, dir string) (string, error) {
	t.Helper()
	var log bytes.Buffer
	c := testConfig(t, dir)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	err := p.Run(t.Context(), c)
	return log.String(), err
}

const firstOrder = "charge.0:orders.0:0"

func replayWith(t *testing.T, dir string, o dlq.ReplayOptions) {
	t.Helper()
	withLetters(t, dir, func(q *dlq.Queue) {
		l, found, err := q.Get(t.Context(), firstOrder)
		if err == nil && found {
			err = q.Replay(t.Context(), l, o)
		}
		if err != nil || !found {
			t.Fatal(found, err)
		}
	})
}

func wantLetter(t *testing.T, dir string, round int, edited bool) {
	t.Helper()
	withLetters(t, dir, func(q *dlq.Queue) {
		l, found, err := q.Get(t.Context(), firstOrder)
		if err != nil || !found || l.Round != round || l.Edited != edited || edited != (l.Original != nil) {
			t.Errorf("found %v: round %d, edited %v, original %q, %v", found, l.Round, l.Edited, l.Original, err)
		}
		if pending, err := q.PendingReplays(t.Context()); err != nil || len(pending) > 0 {
			t.Errorf("pending: %v, %v", pending, err)
		}
	})
}

// A value that cannot be decoded leaves the letter as it was; one that fails is beside the first, which comes back.
func TestAReplacedValueIsNotLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, ordersWithLetter("charge"), dir)
	unreadable := []byte(`{"Amonut": 5}`)
	replayWith(t, dir, dlq.ReplayOptions{Value: &unreadable})
	log, err := runLogged(t, ordersWithLetter("charge"), dir)
	if err != nil || !strings.Contains(log, "cannot be decoded") || !strings.Contains(log, firstOrder) {
		t.Errorf("%v\n%s", err, log)
	}
	wantLetter(t, dir, 1, false)

	small, err := engine.DefaultCodec[purchase]().Append(nil, purchase{1})
	if err != nil {
		t.Fatal(err)
	}
	replayWith(t, dir, dlq.ReplayOptions{Value: &small})
	log, err = runLogged(t, ordersWithLetter("charge"), dir)
	if err != nil || !strings.Contains(log, "dead letter "+firstOrder) || strings.Contains(log, "+replays") {
		t.Errorf("%v\n%s", err, log)
	}
	wantLetter(t, dir, 2, true)
	replayWith(t, dir, dlq.ReplayOptions{Original: true})
	run(t, ordersWithLetter("charge"), dir)
	wantLetter(t, dir, 3, false)
}

// A replay whose stage is gone is named and withdrawn, and the start says what is to be done with the letter.
func TestAStartNamesAReplayThatNoStageCanTake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, ordersWithLetter("charge"), dir)
	replayWith(t, dir, dlq.ReplayOptions{})
	log, err := runLogged(t, ordersWithLetter("charges"), dir)
	if !strings.Contains(log, "withdrew a replay that no stage can take") || !strings.Contains(log, firstOrder) || !strings.Contains(log, `has no stage`) {
		t.Errorf("%v\n%s", err, log)
	}
	if err == nil || !strings.Contains(err.Error(), "stage charges is new in this run, or was renamed") || strings.Contains(err.Error(), "damaged") {
		t.Errorf("the start says: %v", err)
	}
	wantLetter(t, dir, 1, false)
}

// A request whose letter is gone does not make the next start an empty run.
func TestAReplayWhoseLetterIsGoneDoesNotReopenARun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, ordersWithLetter("charge"), dir)
	replayWith(t, dir, dlq.ReplayOptions{})
	withLetters(t, dir, func(q *dlq.Queue) {
		l, _, err := q.Get(t.Context(), firstOrder)
		if err == nil {
			err = q.Discard(t.Context(), l)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	log, err := runLogged(t, ordersWithLetter("charge"), dir)
	if err != nil || !strings.Contains(log, "starting from the beginning") {
		t.Errorf("%v\n%s", err, log)
	}
}
