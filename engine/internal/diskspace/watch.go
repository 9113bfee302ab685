package diskspace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"penstock/checkpoint"
	"penstock/engine/observe"
)

// Watch knows how full the disks of a run are, and watches them. While there is
// too little space the sources wait and the rest drains; while there is almost
// none all stages wait, and what is still written are checkpoints, after which
// the channels are trimmed. An embedded server that met the end of the disk all
// the same is started anew when there is space again.
//
// The zero value has seen enough space, and must not be served. Safe for
// concurrent use.
type Watch struct {
	config Config
	dirs   []string
	level  atomic.Int32

	mu      sync.Mutex
	now     *observe.DiskStatus // of the fullest disk; nil: unknown
	changed chan struct{}       // closed and replaced at every change of the level
	over    chan struct{}       // closed when the watch has ended
}

// Config says what a Watch works with.
type Config struct {
	Log     *slog.Logger
	Dir     string // the data directory
	MinFree int64  // bytes. 0: the default; less: nothing is looked at
	Wait    Wait
	// PokeAll wakes every stage. It is called at every change, before that is told.
	PokeAll func()
	// Changed is told of a change of the level.
	Changed func(before, now Level, disk observe.DiskStatus)
	// Measure gives the free bytes and the size of the file system of a directory. Default: [checkpoint.Space].
	Measure func(dir string) (free, size int64, err error)
}

// Wait names what the run waits for.
type Wait interface {
	Begin(detail string)
	End()
}

// Server is the one that keeps the channels.
type Server interface {
	Embedded() bool
	Trouble() error // why it takes no more writes
	Restart(ctx context.Context) error
}

const (
	tickPause     = 100 * time.Millisecond
	troubleTick   = time.Second
	troubleLonger = 30 * time.Second
)

// New makes a watch that has not looked yet.
func New(c Config) *Watch {
	if c.Measure == nil {
		c.Measure = checkpoint.Space
	}
	return &Watch{config: c, dirs: []string{c.Dir}, changed: make(chan struct{}), over: make(chan struct{})}
}

// Level is that of the last look.
func (w *Watch) Level() Level { return Level(w.level.Load()) }

// IsFull says whether all stages wait.
func (w *Watch) IsFull() bool { return w.Level() == Full }

// look asks the file systems, and says at which level they were and are.
func (w *Watch) look() (before, now Level) {
	before = w.Level()
	if w.config.MinFree < 0 {
		return before, before
	}
	var worst *observe.DiskStatus
	for _, dir := range w.dirs {
		free, size, err := w.config.Measure(dir)
		if err != nil {
			continue // a file system that does not tell
		}
		bound := w.boundOf(size)
		level := levelOf(before, free, bound)
		if worst == nil || level > now {
			now, worst = level, &observe.DiskStatus{State: level.String(), Path: dir, Used: size - free, Free: free, Bound: bound}
		}
	}
	if worst == nil {
		return before, before
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = worst
	if now != before {
		w.level.Store(int32(now))
		close(w.changed)
		w.changed = make(chan struct{})
	}
	return before, now
}

// MayTrim is false while the embedded server has no space, or has met the end of
// the disk: it waits for itself without end when it is to delete what it could not
// write.
func (w *Watch) MayTrim(server Server) bool {
	if !server.Embedded() {
		return true
	}
	free, size, err := w.config.Measure(w.config.Dir)
	return (err != nil || free >= checkpoint.KeptFree(size)) && server.Trouble() == nil
}

// Status is that of the fullest disk; nil: unknown.
func (w *Watch) Status() *observe.DiskStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *Watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Await returns when there is enough space for a source.
func (w *Watch) Await(ctx context.Context) error {
	for w.Level() != Enough {
		changed := w.next()
		if w.Level() == Enough {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Persist tries what the disk may have no space for, until it has.
func (w *Watch) Persist(write func() error) error {
	err := write()
	if !errors.Is(err, checkpoint.ErrNoSpace) {
		return err
	}
	w.config.Wait.Begin("cannot save metadata")
	defer w.config.Wait.End()
	tick := time.NewTicker(tickPause)
	defer tick.Stop()
	for errors.Is(err, checkpoint.ErrNoSpace) {
		select {
		case <-tick.C:
		case <-w.over:
			return err
		}
		err = write()
	}
	return err
}

// AwaitStart keeps a run from beginning on a full disk.
func (w *Watch) AwaitStart(ctx context.Context) error {
	tick := time.NewTicker(tickPause)
	defer tick.Stop()
	for said := false; ; said = true {
		if _, now := w.look(); now != Full {
			return nil
		}
		if !said {
			w.config.Wait.Begin("the disk is full: not starting the run")
			defer w.config.Wait.End()
			w.config.Log.Warn("the disk is full: waiting for free space before starting", w.facts()...)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for free space in %s: %w", w.config.Dir, context.Cause(ctx))
		}
	}
}

func (w *Watch) facts() []any {
	now := w.Status()
	return []any{"dir", now.Path, "free_MiB", now.Free >> 20, "bound_MiB", now.Bound >> 20}
}

// Serve watches until ctx is done, other directories of the run too.
func (w *Watch) Serve(ctx context.Context, server Server, dirs ...string) {
	defer close(w.over)
	w.dirs = append(w.dirs, dirs...)
	if now := w.Level(); now != Enough {
		w.tell(Enough, now)
	}
	tick := time.NewTicker(tickPause)
	defer tick.Stop()
	due, pause := time.Now().Add(troubleTick), troubleTick
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		before, now := w.look()
		if now != before {
			w.config.PokeAll()
			w.tell(before, now)
			due, pause = time.Now(), troubleTick // it may have met the end of the disk
		}
		if now == Full || time.Now().Before(due) {
			continue
		}
		due = time.Now().Add(pause)
		if w.mend(ctx, server) {
			pause = min(2*pause, troubleLonger)
		} else {
			pause = troubleTick
		}
	}
}

// mend starts an embedded server anew that takes no more writes.
func (w *Watch) mend(ctx context.Context, server Server) bool {
	trouble := server.Trouble()
	if trouble == nil {
		return false
	}
	w.config.Log.Warn("restarting the embedded NATS server; nothing is lost", "reason", trouble)
	if err := server.Restart(ctx); err != nil && ctx.Err() == nil {
		w.config.Log.Error("cannot start the embedded NATS server; retrying", "error", err)
	}
	return true
}

// tell logs a change, and passes it on.
func (w *Watch) tell(before, now Level) {
	switch now {
	case Full:
		w.config.Log.Error("the disk is full: all stages wait for free space", w.facts()...)
	case Low:
		w.config.Log.Warn("the disk is nearly full: the sources wait, the other stages go on", w.facts()...)
	default:
		w.config.Log.Info("the disk has free space again: all stages resume", w.facts()...)
	}
	w.config.Changed(before, now, *w.Status())
}

// IsNoSpace says that the disk is full: here, or where the server is.
func IsNoSpace(err error) bool {
	return errors.Is(err, checkpoint.ErrNoSpace) || err != nil && strings.Contains(err.Error(), syscall.ENOSPC.Error())
}
