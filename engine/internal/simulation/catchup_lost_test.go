package simulation

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"penstock/checkpoint"
	"penstock/engine"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/checkpointer"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/view"
)

// channelWith is the simulated channel of a keyed stage that has these frames.
func channelWith(t *testing.T, frames ...frame.Frame) (*simLink, *memory.Corner) {
	t.Helper()
	w := newWorld(newPlans(), 1, 1, false)
	w.calm = true
	p := &simProcess{world: w, disk: memory.NewDisk()}
	stream := &simStream{Stream: memory.NewStream()}
	for k := range frames {
		data, err := frame.Append(nil, &frames[k], frame.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Append(data, stream.Last()); err != nil {
			t.Fatal(err)
		}
	}
	return &simLink{p, stream}, p.corner("worker")
}

func keyedFrame(commit uint64, key, value string) frame.Frame {
	return frame.Frame{Commit: commit, Epoch: 1, State: frame.State{Kind: frame.StateKeyed, Changes: []frame.Change{{Key: key, Value: []byte(value)}}}}
}

// A checkpoint that a crash cut off after its keys, of a commit that the server
// then lost, has left states that no frame of the channel explains.
func TestKeysAheadOfTheChannelAreRefused(t *testing.T) {
	t.Parallel()
	link, store := channelWith(t, keyedFrame(1, "a", "one"), keyedFrame(2, "a", "two"))
	for _, c := range []struct {
		reach   uint64
		refused bool
	}{{1, false}, {2, false}, {3, true}} {
		if err := store.PutNote(view.ReachNote, binary.LittleEndian.AppendUint64(nil, c.reach)); err != nil {
			t.Fatal(err)
		}
		err := view.New("worker", store).CatchUp(t.Context(), link, true)
		if errors.Is(err, engine.ErrRefused) != c.refused {
			t.Errorf("keys of commit %d, and a channel that ends at 2: %v", c.reach, err)
		}
	}
	empty, _ := channelWith(t)
	if err := view.New("worker", store).CatchUp(t.Context(), empty, true); !errors.Is(err, engine.ErrRefused) {
		t.Errorf("keys of commit 3, and an empty channel: %v", err)
	}
}

// The checkpointer notes the reach only where the server may lose frames that
// the checkpoint rests on, and before it writes a key.
func TestReachIsNotedBeforeTheKeys(t *testing.T) {
	t.Parallel()
	for _, embedded := range []bool{true, false} {
		link, store := channelWith(t)
		link.process.world.embedded = embedded
		c := &checkpointer.Checkpointer{Server: simServer{process: link.process}}
		var changes checkpoint.Changes
		changes.Set("a", nil)
		keys := view.Update{Vault: store, Keys: &changes}
		keys.Checkpoint.Commit = 7
		if err := c.Announce([]view.Update{keys}); err != nil {
			t.Fatal(err)
		}
		reach, err := view.New("worker", store).Reach()
		if want := uint64(7); err != nil || (reach == want) == embedded {
			t.Errorf("embedded %v: the reach is %d, %v", embedded, reach, err)
		}
		if link.process.disk.Unsynced() > 0 {
			t.Error("the note is not synced")
		}
	}
}

// lateLink is a channel to which the owner before commits after Last was read.
type lateLink struct{ *simLink }

func (l lateLink) Last(context.Context) (channel.Record, bool, error) {
	return l.stream.Record(l.stream.Last() - 1), true, nil
}

// What a living owner commits while another one catches up is no damage: the
// fence that follows is refused by the server, and the catching up goes on.
func TestCatchUpBesideALivingOwner(t *testing.T) {
	t.Parallel()
	link, store := channelWith(t, keyedFrame(1, "a", "one"), keyedFrame(2, "a", "two"), keyedFrame(3, "b", "three"))
	view := view.New("worker", store)
	if err := view.CatchUp(t.Context(), lateLink{link}, true); err != nil {
		t.Fatal(err)
	}
	if control, sequence := view.Last(); control.Commit != 3 || sequence != 3 {
		t.Errorf("caught up to commit %d at sequence %d, want 3 at 3", control.Commit, sequence)
	}
}
