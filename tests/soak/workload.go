//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// What becomes of an id is decided by its remainders, so that a reference can
// tell without the pipeline.
const (
	dropOf, dropAt     = 100, 3          // dropped by split
	branchOf           = 10              // those to the branch; the others to the main stream
	rejectOf, rejectAt = 40_009, 11      // accounts says that they can never succeed
	failOf, failAt     = 200_003, 17     // accounts fails at each attempt
	rejectPartOf       = 10 * 8_009      // tenths fails at each attempt, others overtake
	passOf             = 4               // accounts tells the sink of each fourth
	partKeys           = 1000            // of tenths
	windowOf           = time.Second     // of windows
	idleAfter          = time.Second / 5 // without news of which windows is rung
	inChannel          = 100_000         // at most waiting for the slowest reader
	maxStep            = 2_000           // ids in one call of the source
)

func dropped(id uint64) bool       { return id%dropOf == dropAt }
func toBranch(id uint64) bool      { return id%branchOf == 0 }
func isReject(id uint64) bool      { return id%rejectOf == rejectAt }
func isFailure(id uint64) bool     { return id%failOf == failAt }
func isPartFailure(id uint64) bool { return id%rejectPartOf == 0 && id > 0 }

// scatter is a permutation of the 64-bit numbers.
func scatter(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

func keyOf(id, keys uint64) string { return "key-" + strconv.FormatUint(scatter(id)%keys, 10) }

type place struct{ Next uint64 }

// tally is the state of what counts.
type tally struct{ Count, Sum uint64 }

func (t *tally) add(value uint64) { t.Count, t.Sum = t.Count+1, t.Sum+value }

// account is the state of a key.
type account struct{ Count, Sum, Last uint64 }

func (a *account) add(id uint64) error {
	if a.Count > 0 && id <= a.Last {
		return engine.Fatal(fmt.Errorf("%d comes after %d: repeated, or out of order", id, a.Last))
	}
	a.Count, a.Sum, a.Last = a.Count+1, a.Sum+id, id
	return nil
}

// window is the state of windows.
type window struct {
	Open  tally // since the last tick
	Rings uint64
}

var errOnPurpose = errors.New("not well, on purpose")

// workload is a pipeline that can be harmed and ended.
type workload struct {
	rate, keys uint64
	harm       *harm
	ending     atomic.Bool // the source ends at its next call

	began   time.Time // of this process's emitting; the source's
	emitted uint64    // by it
}

func (w *workload) pipeline() *engine.Pipeline {
	p := engine.New("soak")
	// Whoever is made to fail restarts soon, and for ever.
	again := p.With(engine.RestartBackoff(supervise.Fixed(100*time.Millisecond)), engine.RestartLimit(-1, 0),
		engine.StopTimeout(stopTimeout))
	bounded := again.With(engine.Deadline(deadline))
	patient := bounded.With(engine.AttemptDelay(supervise.Fixed(100 * time.Millisecond)))
	branch := engine.Branch[uint64](p, "tenths")

	capacity := engine.Capacity{Messages: inChannel}
	ids := engine.Source(again, "ids", w.ids).WithCapacity(capacity)
	main := engine.Stage(bounded.With(engine.Branches(branch)), "split", engine.On(ids,
		func(ctx context.Context, at *place, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if err := w.harm.strike(ctx, "split", m.Attempt); err != nil {
				return err
			}
			if m.Value != at.Next {
				return engine.Fatal(fmt.Errorf("%d comes where %d should", m.Value, at.Next))
			}
			at.Next++
			switch {
			case dropped(m.Value):
			case toBranch(m.Value):
				branch.Emit(ctx, m.Value)
			default:
				emit(m.Value)
			}
			return nil
		})).WithCapacity(capacity)
	changes := engine.Stage(bounded, "accounts", engine.On(engine.KeyBy(main, func(id uint64) string { return keyOf(id, w.keys) }), w.account))
	engine.SinkBatch(bounded, "changes", changes, func(ctx context.Context, t *tally, batch []engine.Message[uint64]) error {
		if err := w.harm.strike(ctx, "changes", batch[0].Attempt); err != nil {
			return err
		}
		for _, m := range batch {
			t.add(m.Value)
		}
		return nil
	})
	totals := engine.Stage(bounded, "windows", w.windows(main)...)
	engine.Sink(bounded, "totals", totals, func(ctx context.Context, t *tally, m engine.Message[tally]) error {
		t.Count, t.Sum = t.Count+m.Value.Count, t.Sum+m.Value.Sum
		return w.harm.strike(ctx, "totals", m.Attempt)
	})
	engine.Sink(patient, "tenths", engine.KeyBy(&branch.Stream, func(id uint64) string { return keyOf(id, partKeys) }),
		func(ctx context.Context, a *account, m engine.Message[uint64]) error {
			if err := w.harm.strike(ctx, "tenths", m.Attempt); err != nil {
				return err
			}
			if isPartFailure(m.Value) {
				return errOnPurpose
			}
			return a.add(m.Value)
		})
	return p
}

// ids emits at the rate, counted from when this process began: what was missed
// while there was none is not made up.
func (w *workload) ids(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
	if w.ending.Load() {
		return io.EOF
	}
	if err := w.harm.strike(ctx, "ids", 1); err != nil {
		return err
	}
	select {
	case <-time.After(2 * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.began.IsZero() {
		w.began = time.Now()
	}
	due := uint64(time.Since(w.began).Seconds() * float64(w.rate))
	for range min(maxStep, due-min(due, w.emitted)) {
		emit(at.Next)
		at.Next++
		w.emitted++
	}
	return nil
}

// account keeps the keys' states.
func (w *workload) account(ctx context.Context, a *account, m engine.Message[uint64], emit engine.Emit[uint64]) error {
	if err := w.harm.strike(ctx, "accounts", m.Attempt); err != nil {
		return err
	}
	switch {
	case isReject(m.Value):
		return engine.Reject(errOnPurpose)
	case isFailure(m.Value):
		return errOnPurpose
	}
	if err := a.add(m.Value); err != nil {
		return err
	}
	if m.Value%passOf == 1 {
		emit(m.Value)
	}
	return nil
}

// windows adds up what comes in a second, and is rung when little comes.
func (w *workload) windows(main *engine.Stream[uint64]) []engine.Part[window, tally] {
	flush := func(s *window, emit engine.Emit[tally]) {
		if s.Open.Count > 0 {
			emit(s.Open)
			s.Open = tally{}
		}
	}
	return []engine.Part[window, tally]{
		engine.On(main, func(ctx context.Context, s *window, m engine.Message[uint64], _ engine.Emit[tally]) error {
			if err := w.harm.strike(ctx, "windows", m.Attempt); err != nil {
				return err
			}
			if s.Open.add(m.Value); s.Open.Count%1000 == 1 {
				engine.SetTimer(ctx, "idle", time.Now().Add(idleAfter))
			}
			return nil
		}),
		engine.Every(windowOf, func(_ context.Context, s *window, _ time.Time, emit engine.Emit[tally]) error {
			flush(s, emit)
			return nil
		}),
		engine.OnTimer("idle", func(_ context.Context, s *window, _ time.Time, _ engine.Emit[tally]) error {
			s.Rings++
			return nil
		}),
		engine.Hooks[window, tally]{End: func(_ context.Context, s *window, emit engine.Emit[tally]) error {
			flush(s, emit)
			return nil
		}},
	}
}
