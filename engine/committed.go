package engine

import (
	"fmt"
	"sort"
	"sync"

	"penstock/checkpoint"
	"penstock/engine/frame"
)

// committed is what the commits of an instance say: the control part of the
// last one, and for a keyed stage the states that changed since the last
// checkpoint. The instance adds to it, the checkpointer writes it to Badger,
// State reads it. Safe for concurrent use.
type committed struct {
	stage string
	store vault

	loaded bool // from the checkpoint; only catchUp looks at it

	mu       sync.Mutex
	control  frame.Frame // the last commit without its messages, with the whole state
	sequence uint64      // of the last commit in the channel
	found    bool        // there is a state (control.State.Whole)

	launched map[string][]byte // changes in a frame that is under way
	dirty    map[string][]byte // committed, not checkpointed; nil is deleted
	flushing map[string][]byte // being written to Badger
	bytes    int               // of dirty

	saved         uint64 // commit that the checkpoint in Badger covers
	savedSequence uint64
	savedInputs   []frame.Position
}

func newCommitted(stage string, store vault) *committed {
	return &committed{stage: stage, store: store, dirty: map[string][]byte{}}
}

// whole returns the bytes of an unkeyed stage's state.
func (c *committed) whole() ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.control.State.Whole, c.found
}

// key returns the newest bytes of one key's state, those under way included.
func (c *committed) key(key string) ([]byte, bool, error) {
	c.mu.Lock()
	data, found := c.launched[key]
	c.mu.Unlock()
	if found {
		return data, data != nil, nil
	}
	return c.settledKey(key)
}

// settledKey is key without what is under way: what people may be shown.
func (c *committed) settledKey(key string) ([]byte, bool, error) {
	c.mu.Lock()
	for _, layer := range []map[string][]byte{c.dirty, c.flushing} {
		if data, found := layer[key]; found {
			c.mu.Unlock()
			return data, data != nil, nil
		}
	}
	c.mu.Unlock()
	return c.store.Key(key)
}

// launch makes the changes of a frame readable while it is under way.
func (c *committed) launch(changes []frame.Change) {
	if len(changes) == 0 {
		return
	}
	layer := make(map[string][]byte, len(changes))
	for _, change := range changes {
		layer[change.Key] = changeValue(change)
	}
	c.mu.Lock()
	c.launched = layer
	c.mu.Unlock()
}

func changeValue(change frame.Change) []byte {
	switch {
	case change.Deleted:
		return nil
	case change.Value == nil:
		return []byte{}
	}
	return change.Value
}

// accept takes a frame that is in the channel: a commit that was
// acknowledged, or one found there at a start.
func (c *committed) accept(f *frame.Frame, sequence uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.control.State
	if f.State.Kind == frame.StateWhole {
		state, c.found = f.State, true
	}
	for _, change := range f.State.Changes {
		c.put(change.Key, changeValue(change))
	}
	c.launched = nil
	c.control = *f
	c.control.State = state
	if f.State.Kind == frame.StateKeyed {
		c.control.State = frame.State{}
	}
	c.control.Sections = make([]frame.Section, len(f.Sections))
	for i := range f.Sections {
		c.control.Sections[i] = frame.Section{Branch: f.Sections[i].Branch, Partition: f.Sections[i].Partition, Base: f.Sections[i].Next()}
	}
	c.sequence = sequence
}

func (c *committed) put(key string, value []byte) {
	if old, found := c.dirty[key]; found {
		c.bytes -= len(key) + len(old)
	}
	c.dirty[key] = value
	c.bytes += len(key) + len(value)
}

// restore begins with a checkpoint.
func (c *committed) restore(cp checkpoint.Checkpoint) error {
	control, err := frame.Decode(cp.Record)
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", c.stage, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.control, c.sequence = *control, cp.Sequence
	c.found = control.State.Kind == frame.StateWhole
	c.saved, c.savedSequence, c.savedInputs = cp.Commit, cp.Sequence, control.Inputs
	return nil
}

// last returns the control part of the last commit and its sequence.
func (c *committed) last() (frame.Frame, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.control, c.sequence
}

func (c *committed) dirtyBytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// begin gives what a checkpoint of now must hold, or false when the last one
// covers everything. done or giveUp follows.
func (c *committed) begin() (update, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.control.Commit == c.saved {
		return update{}, false, nil
	}
	record, err := frame.Append(nil, &c.control, frame.Options{})
	if err != nil {
		return update{}, false, fmt.Errorf("encode the checkpoint of %s: %w", c.stage, err)
	}
	saves := update{
		vault:      c.store,
		checkpoint: checkpoint.Checkpoint{Commit: c.control.Commit, Sequence: c.sequence, Record: record},
		keys:       c.dirty,
		inputs:     c.control.Inputs,
	}
	c.flushing, c.dirty, c.bytes = c.dirty, map[string][]byte{}, 0
	return saves, true, nil
}

// done says that an update is durable.
func (c *committed) done(u update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushing = nil
	c.saved, c.savedSequence, c.savedInputs = u.checkpoint.Commit, u.checkpoint.Sequence, u.inputs
}

// giveUp takes an update back that could not be written.
func (c *committed) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, value := range c.flushing {
		if _, newer := c.dirty[key]; !newer {
			c.put(key, value)
		}
	}
	c.flushing = nil
}

// covered says up to where the synced checkpoint reaches: the sequence of its
// commit, and for each input the sequence from which on frames are needed.
func (c *committed) covered() (sequence uint64, inputs []frame.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.savedSequence, c.savedInputs
}

// eachKey calls fn for every key after the given one, in order: what is in
// Badger overlaid with what is not there yet. fn's error stops it.
func (c *committed) eachKey(from string, fn func(key string, value []byte) error) error {
	recent, order := c.recent(from)
	emitRecent := func(until string, all bool) error {
		for len(order) > 0 && (all || order[0] < until) {
			key := order[0]
			order = order[1:]
			if value := recent[key]; value != nil {
				if err := fn(key, value); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := c.store.KeysFrom(from, func(key string, value []byte) error {
		if err := emitRecent(key, false); err != nil {
			return err
		}
		if newer, found := recent[key]; found {
			order = order[1:]
			if newer == nil {
				return nil
			}
			value = newer
		}
		return fn(key, value)
	})
	if err != nil {
		return err
	}
	return emitRecent("", true)
}

func (c *committed) recent(from string) (map[string][]byte, []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	recent := map[string][]byte{}
	for _, layer := range []map[string][]byte{c.flushing, c.dirty} {
		for key, value := range layer {
			if key >= from {
				recent[key] = value
			}
		}
	}
	order := make([]string, 0, len(recent))
	for key := range recent {
		order = append(order, key)
	}
	sort.Strings(order)
	return recent, order
}
