package memory

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"

	"penstock/checkpoint"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/view"
)

// Disk is the store of one data directory. What was written outlives the process at once, and a cut of the power from
// the next sync on. Safe for concurrent use.
type Disk struct {
	mu       sync.Mutex
	values   map[string][]byte // by instance and what it is
	unsynced []change          // since the last sync, to take them back
}

type change struct {
	name string
	old  []byte
	had  bool
}

// NewDisk returns one that is empty.
func NewDisk() *Disk { return &Disk{values: map[string][]byte{}} }

func (d *Disk) get(name string) (value []byte, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	value, found = d.values[name]
	return value, found
}

func (d *Disk) put(name string, value []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, had := d.values[name]
	d.unsynced = append(d.unsynced, change{name, old, had})
	if value == nil {
		delete(d.values, name)
		return
	}
	d.values[name] = slices.Clip(append([]byte{}, value...))
}

func (d *Disk) sync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unsynced = d.unsynced[:0]
}

// Unsynced counts the changes since the last sync.
func (d *Disk) Unsynced() int { return len(d.unsynced) }

// Cut takes back what was not synced, but for the first of these changes.
func (d *Disk) Cut(keep int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := len(d.unsynced) - 1; n >= keep; n-- {
		c := d.unsynced[n]
		if delete(d.values, c.name); c.had {
			d.values[c.name] = c.old
		}
	}
	d.unsynced = d.unsynced[:0]
}

// Copy is another disk with the same on it.
func (d *Disk) Copy() *Disk { return &Disk{values: maps.Clone(d.values)} }

// keys are those of an instance from one on, with their values.
func (d *Disk) keys(prefix, from string) (list []checkpoint.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, value := range d.values {
		if key, found := strings.CutPrefix(name, prefix); found && key >= from {
			list = append(list, checkpoint.Change{Key: key, Value: value})
		}
	}
	sort.Slice(list, func(a, b int) bool { return list[a].Key < list[b].Key })
	return list
}

// Corner is that of an instance. Each of its methods calls step first, Load with true: it reads much, and something
// else may happen before it.
type Corner struct {
	disk *Disk
	name string
	step func(mayWait bool)
}

// Corner returns that of an instance, or of a stage that has one.
func (d *Disk) Corner(name string, step func(mayWait bool)) *Corner { return &Corner{d, name, step} }

var _ ports.Store = (*Corner)(nil)

// Name is whose corner it is.
func (c *Corner) Name() string { return c.name }

func (c *Corner) at(kind, name string) string { return c.name + "/" + kind + "/" + name }

// Load is ports.Store's, as are the others below.
func (c *Corner) Load() (checkpoint.Checkpoint, bool, error) {
	c.step(true)
	saved, found := c.disk.Checkpoint(c.name)
	return saved, found, nil
}

// Checkpoint is that of an instance.
func (d *Disk) Checkpoint(instance string) (saved checkpoint.Checkpoint, found bool) {
	record, found := d.get(instance + "/checkpoint/")
	if found {
		saved = decode(record)
	}
	return saved, found
}

func (c *Corner) Key(key string) ([]byte, bool, error) {
	c.step(false)
	value, found := c.disk.get(c.at("key", key))
	return value, found, nil
}

func (c *Corner) KeysFrom(from string, fn func(string, []byte) error) error {
	c.step(false)
	for _, change := range c.disk.keys(c.at("key", ""), from) {
		if err := fn(change.Key, change.Value); err != nil {
			return err
		}
	}
	return nil
}

func (c *Corner) Note(name string) ([]byte, bool, error) {
	c.step(false)
	value, found := c.disk.get(c.at("note", name))
	return value, found, nil
}

func (c *Corner) PutNote(name string, value []byte) error {
	if err := c.PutNoteUnsynced(name, value); err != nil {
		return err
	}
	c.disk.sync()
	return nil
}

func (c *Corner) PutNoteUnsynced(name string, value []byte) error {
	c.step(false)
	c.disk.put(c.at("note", name), value)
	return nil
}

func (c *Corner) PutNotesUnsynced(notes map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(notes)) {
		if err := c.PutNoteUnsynced(name, notes[name]); err != nil {
			return err
		}
	}
	return nil
}

// Save writes as checkpoint.Store.Write does: the keys of all, synced, then the checkpoints of all, synced. It calls
// step before each of these, and ends with its error.
func (d *Disk) Save(updates []view.Update, step func(isCheckpoint bool) error) error {
	for _, u := range updates {
		for _, change := range u.Keys.From("") {
			if err := step(false); err != nil {
				return err
			}
			d.put(u.Vault.(*Corner).at("key", change.Key), change.Value)
		}
	}
	if err := step(false); err != nil {
		return err
	}
	d.sync()
	for _, u := range updates {
		if err := step(true); err != nil {
			return err
		}
		d.put(u.Vault.(*Corner).at("checkpoint", ""), encode(u.Checkpoint))
	}
	if err := step(true); err != nil {
		return err
	}
	d.sync()
	return nil
}
