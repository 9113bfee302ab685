package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"penstock/engine/channel"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
)

// MaxPayload is how large a frame may be, in bytes: as with the embedded server.
const MaxPayload = 8 << 20

// Backend is all that the runs of one pipeline keep. Safe for concurrent use.
type Backend struct {
	mu       sync.Mutex
	pipeline string // "": none has run
	identity string // of what it holds; "": it is empty
	inUse    bool
	logs     map[plan.InstanceID]*Log
	widths   map[string]int // partitions by stage
	disk     *Disk
	letters  *Letters
	states   ReadStates
}

// ReadStates calls fn with each committed state of a stage, as JSON.
type ReadStates func(stage string, fn func(key string, state json.RawMessage) error) error

// ErrInUse says that a pipeline is running on it.
var ErrInUse = errors.New("another run uses this memory")

// New returns one that is empty.
func New() *Backend { return &Backend{} }

// Open takes it for a run. Close gives it back.
func (b *Backend) Open(pipeline string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.inUse:
		return ErrInUse
	case b.pipeline != "" && b.pipeline != pipeline:
		return fmt.Errorf("this memory holds a run of pipeline %s, not of %s: give each its own", b.pipeline, pipeline)
	}
	b.inUse = true
	if b.pipeline == "" {
		b.clear(pipeline)
	}
	return nil
}

// Close ends the use by a run.
func (b *Backend) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inUse = false
}

// Clear deletes everything.
func (b *Backend) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear(b.pipeline)
}

func (b *Backend) clear(pipeline string) {
	b.pipeline, b.logs, b.disk, b.letters = pipeline, map[plan.InstanceID]*Log{}, NewDisk(), NewLetters(pipeline)
	b.widths, b.identity = map[string]int{}, ""
}

// Identity is that of what it holds: a new one where that is nothing yet.
func (b *Backend) Identity(another string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.identity == "" {
		b.identity = another
	}
	return b.identity
}

// Divide remembers in how many partitions a stage runs. It is an error if that was another number.
func (b *Backend) Divide(stage string, partitions int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if had := b.widths[stage]; had != 0 && had != partitions {
		return &channel.PartitionsError{Stage: stage, Had: channel.Partitions{Count: had}, Have: channel.Partitions{Count: partitions}}
	}
	b.widths[stage] = partitions
	return nil
}

// Log is the channel of an instance.
func (b *Backend) Log(of plan.InstanceID) *Log {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.logs[of]
	if l == nil {
		l = newLog(b.pipeline, of)
		b.logs[of] = l
	}
	return l
}

// Store is the corner of an instance.
func (b *Backend) Store(instance string) ports.Store {
	return b.Disk().Corner(instance, func(bool) {})
}

// Disk holds the checkpoints.
func (b *Backend) Disk() *Disk {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.disk
}

// Letters are the dead letters; nil before the first run.
func (b *Backend) Letters() *Letters {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.letters
}

// Began tells how the states of the run can be read, also when it has ended.
func (b *Backend) Began(states ReadStates) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states = states
}

// States reads those of the last run.
func (b *Backend) States(stage string, fn func(key string, state json.RawMessage) error) error {
	b.mu.Lock()
	read := b.states
	b.mu.Unlock()
	if read == nil {
		return errors.New("nothing has run in this memory")
	}
	return read(stage, fn)
}

// IsComplete says whether all of these instances have committed their last frame.
func (b *Backend) IsComplete(ctx context.Context, all []plan.InstanceID) bool {
	for _, of := range all {
		if last, found, err := b.Log(of).Last(ctx); err != nil || !found || !last.Frame.Ended {
			return false
		}
	}
	return true
}

// Host is the server of a run in memory, which is always there.
type Host struct{}

var _ ports.Server = Host{}

func (Host) Embedded() bool                                { return true }
func (Host) Server() string                                { return "memory" }
func (Host) Connected() bool                               { return true }
func (Host) Reconnects() uint64                            { return 0 }
func (Host) Failure() string                               { return "" }
func (Host) Unanswered() (since time.Time, is bool)        { return time.Time{}, false }
func (Host) SyncFiles(context.Context) error               { return nil }
func (Host) SyncAllFiles(context.Context) error            { return nil }
func (Host) SyncStreamFiles(context.Context, string) error { return nil }
func (Host) Trouble() error                                { return nil }
func (Host) Restart(context.Context) error                 { return nil }
