package engine

import (
	"context"
	"fmt"

	"penstock/engine/internal/durability"
)

// readSync looks how the embedded server of the process before synced.
func (r *run) readSync() error {
	lazy, err := durability.IsLazy(r.store)
	r.wasLazy = lazy && r.broker.Embedded()
	return err
}

// noteSync notes how this process syncs, before a stage takes anything. Always
// counts from when all that was left of an interval is on disk.
func (r *run) noteSync(ctx context.Context) error {
	isLazy := r.Settings.IsLazy
	if !r.broker.Embedded() || isLazy == r.wasLazy {
		return nil
	}
	if !isLazy {
		if err := r.broker.SyncAllFiles(ctx); err != nil {
			return err
		}
	}
	if err := r.Space.Persist(func() error { return durability.SetLazy(r.store, isLazy) }); err != nil {
		return fmt.Errorf("record how the channels are synced: %w", err)
	}
	return nil
}
