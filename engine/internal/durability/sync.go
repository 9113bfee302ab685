package durability

import (
	"fmt"

	"penstock/checkpoint"
)

// syncNote says how the channels in a directory are synced: at an interval, or
// always. What a cut of the power may have taken depends on it.
const (
	syncNote       = "sync"
	syncAtInterval = "interval"
	syncAlways     = "always"
)

// IsLazy says whether the store notes an interval.
func IsLazy(of NoteReader) (bool, error) {
	note, _, err := of.Note(syncNote)
	if err != nil {
		return false, fmt.Errorf("read how the channels are synced: %w", err)
	}
	return string(note) == syncAtInterval, nil
}

// SetLazy notes whether the channels are synced at an interval.
func SetLazy(store *checkpoint.Store, isLazy bool) error {
	value := syncAlways
	if isLazy {
		value = syncAtInterval
	}
	return store.PutNote(syncNote, []byte(value))
}
