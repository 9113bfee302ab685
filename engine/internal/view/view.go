package view

import (
	"bytes"
	"fmt"
	"sync"

	"penstock/checkpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
)

// View is what the commits of an instance say: the control part of the
// last one, and for a keyed stage the states that changed since the last
// checkpoint. The instance adds to it, the checkpointer writes it to Badger,
// State reads it. Safe for concurrent use.
type View struct {
	Stage string
	Store ports.Store

	loaded bool // from the checkpoint; only CatchUp looks at it

	mu       sync.Mutex
	control  frame.Frame // the last commit without its messages, with the whole state and all notes
	sequence uint64      // of the last commit in the channel
	found    bool        // there is a state (control.State.Whole)

	hasKeys  bool                // a key may have a state
	launched []frame.Change      // in a frame that is under way
	dirty    *checkpoint.Changes // committed, not checkpointed
	flushing *checkpoint.Changes // being written to Badger
	spare    *checkpoint.Changes // empty, its memory to be used again

	saved         uint64 // commit that the checkpoint in Badger covers
	savedSequence uint64
	savedInputs   []frame.Position
	savedEnd      bool // it is the stage's last frame
}

// New is the view of an instance that nothing is known of yet; CatchUp reads what there is.
func New(stage string, store ports.Store) *View {
	return &View{Stage: stage, Store: store, dirty: &checkpoint.Changes{}, flushing: &checkpoint.Changes{}, spare: &checkpoint.Changes{}}
}

// Whole returns the bytes of an unkeyed stage's state.
func (c *View) Whole() ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.control.State.Whole, c.found
}

// Key returns the newest bytes of one key's state, those under way included. It
// looks through all that is under way.
func (c *View) Key(key string) ([]byte, bool, error) {
	c.mu.Lock()
	launched := c.launched
	c.mu.Unlock()
	for k := range launched {
		if launched[k].Key == key {
			data := changeValue(launched[k])
			return data, data != nil, nil
		}
	}
	return c.SettledKey(key)
}

// IsBlank says that no key has a state, as far as is committed.
func (c *View) IsBlank() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.hasKeys
}

// SettledKey is key without what is under way: what people may be shown.
func (c *View) SettledKey(key string) ([]byte, bool, error) {
	c.mu.Lock()
	data, found := c.dirty.Get(key)
	if !found {
		data, found = c.flushing.Get(key)
	}
	data = bytes.Clone(data)
	c.mu.Unlock()
	if found {
		return data, data != nil, nil
	}
	return c.Store.Key(key)
}

// Launch makes the changes of a frame readable while it is under way.
func (c *View) Launch(changes []frame.Change) {
	c.mu.Lock()
	c.launched = changes
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

// Accept takes a frame that is in the channel: a commit that was
// acknowledged, or one found there at a start.
func (c *View) Accept(f *frame.Frame, sequence uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.control.State
	if f.State.Kind == frame.StateWhole {
		state, c.found = f.State, true
	}
	for _, change := range f.State.Changes {
		c.dirty.Set(change.Key, changeValue(change))
		c.hasKeys = true
	}
	c.launched = nil
	notes, run := c.control.Notes.Apply(f.Notes), c.control.Run
	c.control = *f
	c.control.State, c.control.Notes = state, notes
	if f.Run == 0 { // it does not tell, and is of the same run as the frames before
		c.control.Run = run
	}
	if f.State.Kind == frame.StateKeyed {
		c.control.State = frame.State{}
	}
	c.control.Sections = make([]frame.Section, len(f.Sections))
	for i := range f.Sections {
		c.control.Sections[i] = frame.Section{Branch: f.Sections[i].Branch, Partition: f.Sections[i].Partition, Base: f.Sections[i].Next()}
	}
	c.sequence = sequence
}

// restore begins with a checkpoint.
func (c *View) restore(cp checkpoint.Checkpoint) error {
	control, err := frame.Decode(cp.Record)
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", c.Stage, err)
	}
	if err := control.CheckActed(); err != nil {
		return fmt.Errorf("checkpoint of %s: %w", c.Stage, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.control, c.sequence, c.hasKeys = *control, cp.Sequence, true
	c.found = control.State.Kind == frame.StateWhole
	c.saved, c.savedSequence, c.savedInputs, c.savedEnd = cp.Commit, cp.Sequence, control.Inputs, control.Ended
	return nil
}

// Last returns the control part of the last commit and its sequence.
func (c *View) Last() (frame.Frame, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.control, c.sequence
}

func (c *View) DirtyBytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dirty.Size()
}

// Begin gives what a checkpoint of now must hold, or false when the last one
// covers everything. done or giveUp follows.
func (c *View) Begin() (Update, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.control.Commit == c.saved {
		return Update{}, false, nil
	}
	record, err := frame.Append(nil, &c.control, frame.Options{})
	if err != nil {
		return Update{}, false, fmt.Errorf("encode the checkpoint of %s: %w", c.Stage, err)
	}
	saves := Update{
		Vault:      c.Store,
		Checkpoint: checkpoint.Checkpoint{Commit: c.control.Commit, Sequence: c.sequence, Record: record},
		Keys:       c.dirty,
		inputs:     c.control.Inputs,
		end:        c.control.Ended,
	}
	c.flushing, c.dirty, c.spare = c.dirty, c.spare, c.flushing
	return saves, true, nil
}

// Done says that an update is durable.
func (c *View) Done(u Update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushing.Reset()
	c.saved, c.savedSequence, c.savedInputs, c.savedEnd = u.Checkpoint.Commit, u.Checkpoint.Sequence, u.inputs, u.end
}

// GiveUp takes an update back that could not be written.
func (c *View) GiveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, value := range c.flushing.All() {
		if _, newer := c.dirty.Get(string(key)); !newer {
			c.dirty.Set(string(key), value)
		}
	}
	c.flushing.Reset()
}

// Covered says up to where the synced checkpoint reaches: the sequence of its
// commit, and for each input the sequence from which on frames are needed.
func (c *View) Covered() (sequence uint64, inputs []frame.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.savedSequence, c.savedInputs
}

// CoversEnd says that the stage's last frame is in the synced checkpoint.
func (c *View) CoversEnd() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.savedEnd
}

// EachKey calls fn for every key from the given one on, in order: what is in
// the store overlaid with what is not there yet. fn's error stops it.
func (c *View) EachKey(from string, fn func(key string, value []byte) error) error {
	recent := c.recent(from)
	emitRecent := func(until string, all bool) error {
		for len(recent) > 0 && (all || recent[0].Key < until) {
			change := recent[0]
			recent = recent[1:]
			if change.Value != nil {
				if err := fn(change.Key, change.Value); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := c.Store.KeysFrom(from, func(key string, value []byte) error {
		if err := emitRecent(key, false); err != nil {
			return err
		}
		if len(recent) > 0 && recent[0].Key == key {
			value, recent = recent[0].Value, recent[1:]
			if value == nil {
				return nil
			}
		}
		return fn(key, value)
	})
	if err != nil {
		return err
	}
	return emitRecent("", true)
}

// recent gives copies of the changes that are not in the store, in the order of
// their keys.
func (c *View) recent(from string) []checkpoint.Change {
	c.mu.Lock()
	older, newer := c.flushing.From(from), c.dirty.From(from)
	c.mu.Unlock()
	if len(older) == 0 {
		return newer
	}
	merged := make([]checkpoint.Change, 0, len(older)+len(newer))
	for _, change := range newer {
		for len(older) > 0 && older[0].Key < change.Key {
			merged, older = append(merged, older[0]), older[1:]
		}
		if len(older) > 0 && older[0].Key == change.Key {
			older = older[1:]
		}
		merged = append(merged, change)
	}
	return append(merged, older...)
}

// Update is the new checkpoint of one instance.
type Update struct {
	Vault      ports.Store
	Checkpoint checkpoint.Checkpoint
	Keys       *checkpoint.Changes
	inputs     []frame.Position // what the checkpoint covers
	end        bool             // it is the stage's last frame
}
