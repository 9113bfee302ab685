package engine

import (
	"context"
	"fmt"
)

// syncNote says how the channels in a directory are synced: at an interval, or
// always. What a cut of the power may have taken depends on it.
const (
	syncNote       = "sync"
	syncAtInterval = "interval"
	syncAlways     = "always"
)

// readSync looks how the embedded server of the process before synced.
func (r *run) readSync() error {
	lazy, err := notedLazy(r.store)
	r.wasLazy = lazy && r.broker.Embedded()
	return err
}

// notedLazy says whether the store notes an interval.
func notedLazy(of noteReader) (bool, error) {
	note, _, err := of.Note(syncNote)
	if err != nil {
		return false, fmt.Errorf("read how the channels are synced: %w", err)
	}
	return string(note) == syncAtInterval, nil
}

// noteSync notes how this process syncs, before a stage takes anything. Always
// counts from when all that was left of an interval is on disk.
func (r *run) noteSync(ctx context.Context) error {
	isLazy := r.config.Sync > 0
	if !r.broker.Embedded() || isLazy == r.wasLazy {
		return nil
	}
	note := syncAtInterval
	if !isLazy {
		note = syncAlways
		if err := r.broker.SyncAllFiles(ctx); err != nil {
			return err
		}
	}
	if err := r.space.persist(func() error { return r.store.PutNote(syncNote, []byte(note)) }); err != nil {
		return fmt.Errorf("note how the channels are synced: %w", err)
	}
	return nil
}
