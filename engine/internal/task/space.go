package task

import (
	"context"
	"fmt"

	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/waits"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// newSpace watches the disks of a run.
func newSpace(r *Run) *diskspace.Watch {
	return diskspace.New(diskspace.Config{
		Log: r.Log, Dir: r.Settings.Dir, MinFree: r.Settings.MinFree, Wait: diskWait{&r.Waits}, PokeAll: r.PokeAll, Changed: r.tellSpace,
	})
}

// diskWait is the wait of a run for its disk.
type diskWait struct{ waits *waits.Set }

func (w diskWait) Begin(detail string) { w.waits.Begin(waits.Disk, detail) }
func (w diskWait) End()                { w.waits.End(waits.Disk) }

// WatchSpace watches until ctx is done.
func (r *Run) WatchSpace(ctx context.Context) {
	var dirs []string
	if r.Dir != nil {
		if r.Server.Embedded() {
			dirs = append(dirs, r.Dir.Broker())
		}
		dirs = append(dirs, r.Dir.Checkpoints())
	}
	r.Space.Serve(ctx, r.Server, dirs...)
}

// tellSpace tells of every stage that waits since a change of the disk, or resumes.
func (r *Run) tellSpace(before, now diskspace.Level, disk observe.DiskStatus) {
	for _, in := range r.Instances {
		isWaiting := waitsAt(in.Definition.Kind, now)
		if in.Phase.IsEnded() || isWaiting == waitsAt(in.Definition.Kind, before) {
			continue
		}
		detail := fmt.Sprintf("resumes: %d MiB are free", disk.Free>>20)
		if isWaiting {
			detail = fmt.Sprintf("waits: %d MiB are free, and at least %d MiB are needed", disk.Free>>20, disk.Bound>>20)
		}
		r.tell(supervise.Event{Child: in.Definition.Name, Kind: observe.SpaceChanged, Detail: detail})
	}
}

// waitsAt says whether stages of a kind wait at a level.
func waitsAt(kind plan.Kind, level diskspace.Level) bool {
	return level == diskspace.Full || level == diskspace.Low && kind == plan.KindSource
}

// awaitSpace returns when there is enough space on the disk for a source.
func (t *Task) awaitSpace(ctx context.Context) error {
	if t.Run.Space.Level() == diskspace.Enough {
		return nil
	}
	t.noteSpace()
	defer t.Waiting.waits.End(waits.Disk)
	return t.Run.Space.Await(ctx)
}

// noteSpace names the wait for the disk, which the loop and a source's function
// may both have.
func (t *Task) noteSpace() {
	level, detail := t.Run.Space.Level(), "the disk is nearly full"
	if level == diskspace.Full {
		detail = "the disk is full"
	}
	t.Waiting.waits.Note(waits.Disk, waitsAt(t.Definition.Kind, level), detail)
}
