package view_test

import (
	"errors"
	"testing"

	"penstock/checkpoint"
	"penstock/engine/frame"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/view"
)

func note(name, value string) frame.Note { return frame.Note{Name: name, Value: []byte(value)} }

// What a frame leaves out because nothing of it changed is in the view all the same, in its checkpoint, and so in the
// fence that is made of it.
func TestNotesAndRunOutliveTheFramesThatToldThem(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	c := view.New("worker", disk.Corner("worker", func(bool) {}))
	c.Accept(&frame.Frame{Commit: 1, Kind: frame.KindFence, Run: 7, Notes: frame.Notes{note("a", "1"), note("b", "2")}}, 1)
	c.Accept(&frame.Frame{Commit: 2, Notes: frame.Notes{{Name: "a", Deleted: true}, note("c", "3")}}, 2)
	c.Accept(&frame.Frame{Commit: 3, Watermark: frame.Watermark{Time: 5, Known: true}}, 3)
	check := func(control *frame.Frame) {
		t.Helper()
		b, _ := control.Notes.Get("b")
		_, hasA := control.Notes.Get("a")
		if control.Run != 7 || control.Commit != 3 || control.Watermark.Time != 5 || len(control.Notes) != 2 || string(b) != "2" || hasA {
			t.Errorf("%+v", control)
		}
	}
	control, _ := c.Last()
	check(&control)
	u, _, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := frame.Decode(u.Checkpoint.Record)
	if err != nil {
		t.Fatal(err)
	}
	check(saved)
}

// A checkpoint of a newer version is called that, and not loaded in part.
func TestACheckpointWithFeaturesOfANewerVersionIsNotTaken(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	corner := disk.Corner("worker", func(bool) {})
	record, err := frame.Append(nil, &frame.Frame{Commit: 3, Layout: 1}, frame.Options{})
	if err != nil {
		t.Fatal(err)
	}
	saves := []view.Update{{Vault: corner, Checkpoint: checkpoint.Checkpoint{Commit: 3, Sequence: 3, Record: record}, Keys: &checkpoint.Changes{}}}
	if err := disk.Save(saves, func(bool) error { return nil }); err != nil {
		t.Fatal(err)
	}
	server := memory.New()
	if err := server.Open("pipeline"); err != nil {
		t.Fatal(err)
	}
	if err := view.New("worker", corner).CatchUp(t.Context(), server.Log(plan.Only("worker")), false); !errors.Is(err, frame.ErrNewerVersion) {
		t.Error(err)
	}
}
