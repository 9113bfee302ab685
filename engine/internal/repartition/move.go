package repartition

import (
	"context"
	"fmt"

	"penstock/checkpoint"
	"penstock/engine/faultpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/durability"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/shape"
	"penstock/engine/internal/task"
	"penstock/engine/internal/view"
)

// Move is one stage on its way to other instances. Nothing else may use them, or those that there are, meanwhile.
type Move struct {
	Run   *task.Run
	Stage *plan.Stage
	To    plan.Layout

	Saver   checkpointer.Saver
	Corner  func(plan.InstanceID) ports.Store                              // of a new instance
	Channel func(context.Context, plan.InstanceID) (ports.OwnedLog, error) // likewise

	Keys int // how many states were moved

	parts   []part
	changes int // bytes that are not saved
}

// part is a new instance.
type part struct {
	id      plan.InstanceID
	store   ports.Store
	control checkpoint.Checkpoint
	keys    *checkpoint.Changes
	fresh   bool // its checkpoint is not saved
}

// firstCommit is the number of the first frame of a new instance. It is not 1: the states before it are in the
// checkpoint alone, and who has lost that must not take an empty state for the one there was.
const firstCommit = 2

// saveAt bounds the states that are in memory, in bytes.
const saveAt = 32 << 20

// Begin makes the new instances.
func (m *Move) Begin(ctx context.Context) error {
	for k, id := range m.To.Instances(m.Stage.Name) {
		p, err := m.found(ctx, k, id)
		if err != nil {
			return fmt.Errorf("make instance %s: %w", id, err)
		}
		m.parts = append(m.parts, p)
		faultpoint.Hit(faultpoint.MidMove, m.Stage.Name)
	}
	if err := m.keepNotes(); err != nil {
		return fmt.Errorf("make the instances of %s: %w", m.Stage.Name, err)
	}
	if err := m.copyStates(ctx); err != nil {
		return fmt.Errorf("move the states of stage %s: %w", m.Stage.Name, err)
	}
	return nil
}

// found publishes the first frame of a new instance.
func (m *Move) found(ctx context.Context, partition int, id plan.InstanceID) (part, error) {
	f := m.firstFrame(partition)
	to, err := m.Channel(ctx, id)
	if err != nil {
		return part{}, err
	}
	sequence, err := m.Run.PublishTo(ctx, to, id, f, 0)
	if err != nil {
		return part{}, err
	}
	record, err := frame.Append(nil, f, frame.Options{})
	return part{
		id: id, store: m.Corner(id), keys: &checkpoint.Changes{}, fresh: true,
		control: checkpoint.Checkpoint{Commit: f.Commit, Sequence: sequence, Record: record},
	}, err
}

// firstFrame says that nothing is taken and nothing emitted: the edges of the new instances begin at 0. Partition 0
// goes on with the counts of all.
func (m *Move) firstFrame(partition int) *frame.Frame {
	f := &frame.Frame{Kind: frame.KindFence, Commit: firstCommit}
	for k, in := range m.Run.InstancesOf(m.Stage.Name) {
		control, _ := in.Committed.Last()
		f.Epoch = max(f.Epoch, control.Epoch)
		if k == 0 {
			f.Owner, f.State = in.Task.Load().Ownership.Owner, control.State // of a keyed stage: none
		}
		if partition == 0 {
			f.Tally = f.Tally.Plus(control.Tally)
		}
	}
	return f
}

// keepNotes keeps what a start, or a look, needs of the new instances besides their checkpoints.
func (m *Move) keepNotes() error {
	letters := uint64(0)
	for _, in := range m.Run.InstancesOf(m.Stage.Name) {
		n, err := durability.Letters(in.Committed.Store)
		if err != nil {
			return err
		}
		letters = max(letters, n)
	}
	for k := range m.parts {
		if err := shape.Of(m.Stage, m.To).Save(m.parts[k].store); err != nil {
			return err
		}
	}
	if letters == 0 {
		return nil
	}
	return durability.SetLetters(m.parts[0].store, letters)
}

func (m *Move) copyStates(ctx context.Context) error {
	from := m.Stage.Layout()
	for _, in := range m.Run.InstancesOf(m.Stage.Name) {
		if !m.Stage.Keyed() {
			continue
		}
		err := in.Committed.EachKey("", func(key string, value []byte) error {
			if at := from.PartitionOf(key); at != from.Partition(in.ID.Number) {
				return fmt.Errorf("instance %s has a state of key %q, which belongs to partition %d", in.ID, key, at)
			}
			return m.add(ctx, key, value)
		})
		if err != nil {
			return err
		}
	}
	return m.save()
}

func (m *Move) add(ctx context.Context, key string, value []byte) error {
	m.parts[m.To.PartitionOf(key)].keys.Set(key, value)
	m.Keys++
	if m.changes += len(key) + len(value); m.changes < saveAt {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.save()
}

// save writes the states that have gathered. The checkpoint beside them is complete with the last of them.
func (m *Move) save() error {
	var updates []view.Update
	for k := range m.parts {
		p := &m.parts[k]
		if p.keys.Len() > 0 || p.fresh {
			updates = append(updates, view.Update{Vault: p.store, Checkpoint: p.control, Keys: p.keys})
		}
	}
	if len(updates) == 0 {
		return nil
	}
	if err := m.Saver.Save(updates); err != nil {
		return err
	}
	for k := range m.parts {
		m.parts[k].keys.Reset()
		m.parts[k].fresh = false
	}
	m.changes = 0
	return nil
}

// Retire commits the last frame of each instance that there was.
func (m *Move) Retire(ctx context.Context) error {
	for _, in := range m.Run.InstancesOf(m.Stage.Name) {
		if err := in.Retire(ctx, m.To); err != nil {
			return err
		}
		faultpoint.Hit(faultpoint.MidRetire, m.Stage.Name)
	}
	return nil
}

// Carried are the counts of messages from when the stages have moved on: what an instance took by edges that go, and
// emitted for destinations that go. The first instance of a stage gets those of all before it.
func Carried(r *task.Run, moving map[string]plan.Layout) map[string]plan.Carried {
	counts := map[string]plan.Carried{}
	for _, in := range r.Instances {
		control, _ := in.Committed.Last()
		if to, moves := moving[in.ID.Stage]; moves {
			first := to.Instances(in.ID.Stage)[0].String()
			c := counts[first]
			counts[first] = plan.Carried{In: c.In + in.TakenOf(&control), Out: c.Out + in.Emitted()}
			continue
		}
		c := in.Progress.Before
		for k := range in.Edges {
			if _, goes := moving[in.Edges[k].From.Stage]; goes {
				p := in.Edges[k].Position(control.Inputs)
				c.In += p.Count()
			}
		}
		for d, to := range in.Definition.Destinations() {
			if goes(to, moving) {
				c.Out += in.WrittenFor(d)
			}
		}
		if c != (plan.Carried{}) {
			counts[in.ID.String()] = c
		}
	}
	return counts
}

// goes says that a destination has no reader when the stages have moved: then each has its own.
func goes(d plan.Destination, moving map[string]plan.Layout) bool {
	if d.Reader != nil {
		_, moves := moving[d.Reader.Name]
		return moves
	}
	isShared := len(d.Stream.Readers) == 0
	for _, i := range d.Stream.Readers {
		_, moves := moving[i.Stage.Name]
		isShared = isShared || !moves && !i.Stage.Layout().IsDivided()
	}
	return !isShared
}
