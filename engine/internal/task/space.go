package task

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"penstock/checkpoint"
	"penstock/engine/internal/plan"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// space watches the free space of the disks that the run writes to. While there
// is too little the sources wait and the rest drains; while there is almost none
// all stages wait, and what is still written are checkpoints, after which the
// channels are trimmed. A broker that met the end of the disk all the same is
// started anew when there is space again.
type space struct {
	run   *Run
	dirs  []string
	bound int64 // 0: the default; less: nothing is looked at
	level atomic.Int32

	mu      sync.Mutex
	now     *observe.DiskStatus // of the fullest disk; nil: unknown
	changed chan struct{}       // closed and replaced at every change of the level
	over    chan struct{}       // closed when the watch has ended
}

// The levels of a disk.
const (
	SpaceEnough int32 = iota
	spaceLow          // the sources wait
	spaceFull         // all stages wait
)

var SpaceNames = [...]string{"enough", "low", "full"}

const (
	spaceTick     = 100 * time.Millisecond
	spaceMost     = 1 << 30 // the default is never more
	spaceShare    = 8       // of the file system, for the default
	troubleTick   = time.Second
	troubleLonger = 30 * time.Second
)

func newSpace(r *Run) *space {
	s := &space{run: r, bound: r.Settings.MinFree, changed: make(chan struct{}), over: make(chan struct{})}
	s.dirs = []string{r.Settings.Dir}
	return s
}

// boundOf is what has to be free on a file system of this size.
func (s *space) boundOf(size int64) int64 {
	if s.bound > 0 {
		return max(s.bound, 4*checkpoint.KeptFree(size))
	}
	return min(size/spaceShare, spaceMost)
}

// levelOf goes down at the bounds, and up again when there is a quarter more.
func levelOf(before int32, free, bound int64) int32 {
	full, low := bound/2, bound
	switch {
	case free < full, before == spaceFull && free < full+full/4:
		return spaceFull
	case free < low, before >= spaceLow && free < low+low/4:
		return spaceLow
	}
	return SpaceEnough
}

// look asks the file systems, and says whether the level is another one now.
func (s *space) look() (before, now int32) {
	before = s.level.Load()
	if s.bound < 0 {
		return before, before
	}
	var worst *observe.DiskStatus
	for _, dir := range s.dirs {
		free, size, err := checkpoint.Space(dir)
		if err != nil {
			continue // a file system that does not tell
		}
		bound := s.boundOf(size)
		level := levelOf(before, free, bound)
		if worst == nil || level > now {
			now, worst = level, &observe.DiskStatus{State: SpaceNames[level], Path: dir, Used: size - free, Free: free, Bound: bound}
		}
	}
	if worst == nil {
		return before, before
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = worst
	if now != before {
		s.level.Store(now)
		close(s.changed)
		s.changed = make(chan struct{})
	}
	return before, now
}

func (s *space) isFull() bool { return s.level.Load() == spaceFull }

// MayTrim is false while the embedded server has no space, or has met the end of
// the disk: it waits for itself without end when it is to delete what it could not
// write.
func (s *space) MayTrim() bool {
	if !s.run.Server.Embedded() {
		return true
	}
	free, size, err := checkpoint.Space(s.run.Settings.Dir)
	return (err != nil || free >= checkpoint.KeptFree(size)) && s.run.Server.Trouble() == nil
}

func (s *space) Status() *observe.DiskStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *space) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// await returns when there is enough space for a source.
func (s *space) await(ctx context.Context) error {
	for s.level.Load() != SpaceEnough {
		changed := s.next()
		if s.level.Load() == SpaceEnough {
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
func (s *space) Persist(write func() error) error {
	err := write()
	if !errors.Is(err, checkpoint.ErrNoSpace) {
		return err
	}
	s.run.Waits.begin(waitDisk, "cannot save metadata")
	defer s.run.Waits.end(waitDisk)
	tick := time.NewTicker(spaceTick)
	defer tick.Stop()
	for errors.Is(err, checkpoint.ErrNoSpace) {
		select {
		case <-tick.C:
		case <-s.over:
			return err
		}
		err = write()
	}
	return err
}

// AwaitStart keeps a run from beginning on a full disk.
func (s *space) AwaitStart(ctx context.Context) error {
	tick := time.NewTicker(spaceTick)
	defer tick.Stop()
	for said := false; ; said = true {
		if _, now := s.look(); now != spaceFull {
			return nil
		}
		if !said {
			s.run.Waits.begin(waitDisk, "the disk is full: not starting the run")
			defer s.run.Waits.end(waitDisk)
			s.run.Log.Warn("the disk is full: waiting for free space before starting", s.facts()...)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for free space in %s: %w", s.run.Settings.Dir, context.Cause(ctx))
		}
	}
}

func (s *space) facts() []any {
	now := s.Status()
	return []any{"dir", now.Path, "free_MiB", now.Free >> 20, "bound_MiB", now.Bound >> 20}
}

// Serve watches until ctx is done.
func (s *space) Serve(ctx context.Context) {
	defer close(s.over)
	if dir := s.run.Dir; dir != nil {
		if s.run.Server.Embedded() {
			s.dirs = append(s.dirs, dir.Broker())
		}
		s.dirs = append(s.dirs, dir.Checkpoints())
	}
	if s.level.Load() != SpaceEnough {
		s.tell(SpaceEnough, s.level.Load())
	}
	tick := time.NewTicker(spaceTick)
	defer tick.Stop()
	due, pause := time.Now().Add(troubleTick), troubleTick
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		before, now := s.look()
		if now != before {
			s.run.PokeAll()
			s.tell(before, now)
			due, pause = time.Now(), troubleTick // it may have met the end of the disk
		}
		if now == spaceFull || time.Now().Before(due) {
			continue
		}
		due = time.Now().Add(pause)
		if s.mendBroker(ctx) {
			pause = min(2*pause, troubleLonger)
		} else {
			pause = troubleTick
		}
	}
}

// mendBroker starts an embedded server anew that takes no more writes.
func (s *space) mendBroker(ctx context.Context) bool {
	trouble := s.run.Server.Trouble()
	if trouble == nil {
		return false
	}
	s.run.Log.Warn("restarting the embedded NATS server; nothing is lost", "reason", trouble)
	if err := s.run.Server.Restart(ctx); err != nil && ctx.Err() == nil {
		s.run.Log.Error("cannot start the embedded NATS server; retrying", "error", err)
	}
	return true
}

// tell logs a change, and tells of every stage that waits for it, or no longer.
func (s *space) tell(before, now int32) {
	switch now {
	case spaceFull:
		s.run.Log.Error("the disk is full: all stages wait for free space", s.facts()...)
	case spaceLow:
		s.run.Log.Warn("the disk is nearly full: the sources wait, the other stages go on", s.facts()...)
	default:
		s.run.Log.Info("the disk has free space again: all stages resume", s.facts()...)
	}
	disk := s.Status()
	for _, in := range s.run.Instances {
		waits := waitsAt(in.Definition.Kind, now)
		if in.Phase.IsEnded() || waits == waitsAt(in.Definition.Kind, before) {
			continue
		}
		detail := fmt.Sprintf("resumes: %d MiB are free", disk.Free>>20)
		if waits {
			detail = fmt.Sprintf("waits: %d MiB are free, and at least %d MiB are needed", disk.Free>>20, disk.Bound>>20)
		}
		s.run.tell(supervise.Event{Child: in.Definition.Name, Kind: observe.SpaceChanged, Detail: detail})
	}
}

func waitsAt(kind plan.Kind, level int32) bool {
	return level == spaceFull || level == spaceLow && kind == plan.KindSource
}

// isNoSpace says that the disk is full: here, or where the server is.
func isNoSpace(err error) bool {
	return errors.Is(err, checkpoint.ErrNoSpace) || err != nil && strings.Contains(err.Error(), syscall.ENOSPC.Error())
}
