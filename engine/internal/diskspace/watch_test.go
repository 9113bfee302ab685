package diskspace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"testing"

	"penstock/checkpoint"
	"penstock/engine/observe"
)

// The level falls at its bounds, and rises when there is a quarter more.
func TestLevelsOfADisk(t *testing.T) {
	t.Parallel()
	level := Enough
	for _, step := range []struct {
		free int64
		want Level
	}{
		{1000, Enough}, {100, Enough}, {99, Low}, {124, Low}, {125, Enough},
		{50, Low}, {49, Full}, {61, Full}, {62, Low}, {124, Low}, {0, Full},
		{124, Low}, {125, Enough}, {0, Full}, {1000, Enough},
	} {
		if level = levelOf(level, step.free, 100); level != step.want {
			t.Fatalf("%d free: level %d, want %d", step.free, level, step.want)
		}
	}
}

func TestBoundOfADisk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ config, size, want int64 }{
		{0, 800 << 20, 100 << 20}, // an eighth
		{0, 1 << 40, 1 << 30},     // the most
		{300 << 20, 1 << 40, 300 << 20},
		{1, 1 << 40, 256 << 20}, // less would stop the checkpoints first
		{1, 160 << 20, 20 << 20},
	} {
		s := New(Config{MinFree: c.config})
		if got := s.boundOf(c.size); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.config, c.size, got, c.want)
		}
	}
}

// embedded is a server whose trouble a restart mends, once the test lets it.
type embedded struct {
	trouble  error
	mended   error // of a restart
	restarts chan struct{}
}

var _ Server = (*embedded)(nil)

func (*embedded) Embedded() bool   { return true }
func (s *embedded) Trouble() error { return s.trouble }

func (s *embedded) Restart(context.Context) error {
	s.trouble = s.mended
	s.restarts <- struct{}{}
	return s.mended
}

// waiting counts what the run waits for.
type waiting struct{ begun, ended int }

var _ Wait = (*waiting)(nil)

func (w *waiting) Begin(string) { w.begun++ }
func (w *waiting) End()         { w.ended++ }

// A run begins on a full disk when there is space, and says meanwhile what it waits for.
func TestARunWaitsForSpaceBeforeItStarts(t *testing.T) {
	t.Parallel()
	looks, wait := 0, &waiting{}
	w := New(Config{Log: slog.New(slog.DiscardHandler), Dir: "here", MinFree: 100, Wait: wait, Measure: func(string) (free, size int64, err error) {
		looks++
		return int64(looks) * 25, 800, nil // full until it is 75
	}})
	if err := w.AwaitStart(t.Context()); err != nil || looks != 3 || w.Level() != Low || wait.begun != 1 || wait.ended != 1 {
		t.Errorf("%v after %d looks, the disk is %v; waits: %+v", err, looks, w.Level(), *wait)
	}
	if s := w.Status(); s == nil || *s != (observe.DiskStatus{State: "low", Path: "here", Used: 725, Free: 75, Bound: 100}) {
		t.Errorf("status: %+v", s)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if looks = -2; !errors.Is(w.AwaitStart(stopped), context.Canceled) {
		t.Error("a run that is stopped still waits for space")
	}
}

// The stages are woken at a change and told of it; a server that met the end of the disk is started anew when there is
// space again, and whatever waits for space goes on.
func TestSpaceThatComesBack(t *testing.T) {
	t.Parallel()
	free := make(chan int64)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var changes []string
	server := &embedded{trouble: syscall.ENOSPC, restarts: make(chan struct{})}
	w := New(Config{
		Log: slog.New(slog.DiscardHandler), MinFree: 100, Wait: &waiting{},
		PokeAll: func() { changes = append(changes, "woken") },
		Changed: func(before, now Level, disk observe.DiskStatus) {
			changes = append(changes, fmt.Sprint(before, " to ", now, " at ", disk.Free))
		},
		Measure: func(string) (int64, int64, error) {
			select {
			case n := <-free:
				return n, 800, nil
			case <-ctx.Done():
				return 0, 0, ctx.Err()
			}
		},
	})
	served := make(chan struct{})
	go func() {
		defer close(served)
		w.Serve(ctx, server)
	}()
	for _, n := range []int64{10, 10, 700} {
		free <- n
	}
	<-server.restarts
	if err := w.Await(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	<-served
	if got, want := fmt.Sprint(changes), "[woken enough to full at 10 woken full to enough at 700]"; got != want {
		t.Errorf("changes: %s, want %s", got, want)
	}
	if err := w.Persist(func() error { return checkpoint.ErrNoSpace }); !errors.Is(err, checkpoint.ErrNoSpace) {
		t.Errorf("after the watch: %v", err)
	}
}
