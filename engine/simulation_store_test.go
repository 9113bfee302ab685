package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sort"
	"strings"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/view"
)

// simDisk is the store of one data directory. What was written outlives the
// process at once, and a cut of the power from the next sync on.
type simDisk struct {
	values  map[string][]byte // by instance and what it is
	unsaved []change          // since the last sync, to take them back
}

type change struct {
	name string
	old  []byte
	had  bool
}

func newSimDisk() *simDisk { return &simDisk{values: map[string][]byte{}} }

func (d *simDisk) put(name string, value []byte) {
	old, had := d.values[name]
	d.unsaved = append(d.unsaved, change{name, old, had})
	if value == nil {
		delete(d.values, name)
		return
	}
	d.values[name] = slices.Clip(append([]byte{}, value...))
}

func (d *simDisk) sync() { d.unsaved = d.unsaved[:0] }

// cut takes back what was not synced, or the end of it.
func (d *simDisk) cut(keep int) {
	for n := len(d.unsaved) - 1; n >= keep; n-- {
		c := d.unsaved[n]
		if delete(d.values, c.name); c.had {
			d.values[c.name] = c.old
		}
	}
	d.sync()
}

func (d *simDisk) copy() *simDisk { return &simDisk{values: maps.Clone(d.values)} }

// simVault is an instance's corner of a disk, as its process sees it.
type simVault struct {
	process *simProcess
	disk    *simDisk
	name    string // of the stage
}

var _ ports.Store = (*simVault)(nil)

func (v *simVault) at(kind, name string) string { return v.name + "/" + kind + "/" + name }

func (v *simVault) Load() (checkpoint.Checkpoint, bool, error) {
	v.process.mayYield()
	record, found := v.disk.values[v.at("checkpoint", "")]
	if !found {
		return checkpoint.Checkpoint{}, false, nil
	}
	return decodeSimCheckpoint(record), true, nil
}

func (v *simVault) Key(key string) ([]byte, bool, error) {
	v.process.mustLive()
	value, found := v.disk.values[v.at("key", key)]
	return value, found, nil
}

func (v *simVault) KeysFrom(from string, fn func(string, []byte) error) error {
	v.process.mustLive()
	prefix := v.at("key", "")
	var keys []string
	for name := range v.disk.values {
		if key, found := strings.CutPrefix(name, prefix); found && key >= from {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		if err := fn(key, v.disk.values[prefix+key]); err != nil {
			return err
		}
	}
	return nil
}

func (v *simVault) Note(name string) ([]byte, bool, error) {
	v.process.mustLive()
	value, found := v.disk.values[v.at("note", name)]
	return value, found, nil
}

func (v *simVault) PutNote(name string, value []byte) error {
	if err := v.PutNoteUnsynced(name, value); err != nil {
		return err
	}
	v.disk.sync()
	return nil
}

func (v *simVault) PutNoteUnsynced(name string, value []byte) error {
	v.process.mustLive()
	v.disk.put(v.at("note", name), value)
	return nil
}

func (v *simVault) PutNotesUnsynced(notes map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(notes)) {
		if err := v.PutNoteUnsynced(name, notes[name]); err != nil {
			return err
		}
	}
	return nil
}

// errDisk is a write that fails.
var errDisk = errors.New("no space left")

// simSaver writes as checkpoint.Store.Write does: the keys of all, synced, then
// the checkpoints of all, synced. It may be cut off anywhere.
type simSaver struct{ process *simProcess }

func (simSaver) size() int64 { return 0 }

func (s simSaver) save(updates []view.Update) error {
	w, disk := s.process.world, s.process.disk
	for _, u := range updates {
		v := u.Vault.(*simVault)
		for _, change := range u.Keys.From("") {
			s.process.mayYield()
			if w.happens(w.weights.disk) {
				return s.fails()
			}
			disk.put(v.at("key", change.Key), change.Value)
		}
	}
	s.process.mayYield()
	if w.happens(w.weights.disk) {
		return s.fails()
	}
	disk.sync()
	for _, u := range updates {
		s.process.mayYield()
		v := u.Vault.(*simVault)
		disk.put(v.at("checkpoint", ""), encodeSimCheckpoint(u.Checkpoint))
	}
	s.process.mayYield()
	disk.sync()
	w.counts[checkpoints]++
	for _, u := range updates {
		v := u.Vault.(*simVault)
		w.say("%s: the checkpoint of %s is at commit %d", s.process, v.name, u.Checkpoint.Commit)
	}
	s.process.mayYield()
	return nil
}

func (s simSaver) fails() error {
	s.process.world.counts[diskErrors]++
	s.process.world.say("%s: a checkpoint fails half-way", s.process)
	return errDisk
}

// simServer is what the checkpointer knows of the server.
type simServer struct{ process *simProcess }

func (s simServer) Embedded() bool     { return s.process.world.embedded }
func (s simServer) Connected() bool    { return true }
func (s simServer) Reconnects() uint64 { return 0 }

func (s simServer) SyncFiles(context.Context) error {
	s.process.mayYield()
	if w := s.process.world; w.embedded {
		for _, stream := range w.inOrder { // one file after the other
			stream.synced = stream.last()
			s.process.mayYield()
		}
	}
	return nil
}

// noLetters is a queue of dead letters that is empty. No stage uses its attempts
// up, so that none is written.
type noLetters struct{ ports.DeadLetters }

func (noLetters) Reached() uint64 { return 0 }

func (noLetters) NextReplay(context.Context, string, int, uint64) (dlq.Replay, bool, error) {
	return dlq.Replay{}, false, nil
}
