package history

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/engine/internal/memory"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

func corner(disk *memory.Disk) *memory.Corner { return disk.Corner("sink.0", func(bool) {}) }

func opened(t *testing.T, disk *memory.Disk) *History {
	t.Helper()
	var h History
	if err := h.Open(corner(disk)); err != nil {
		t.Fatal(err)
	}
	return &h
}

func read(t *testing.T, disk *memory.Disk) []observe.StageEvent {
	t.Helper()
	events, err := Read(corner(disk))
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestTheNewestEventsAreKeptInOrder(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	const lives, each = 3, observe.HistorySize/2 + 1
	for range lives { // each process goes on with the numbers
		h := opened(t, disk)
		for range each {
			if err := h.Add(supervise.Event{Child: "sink", Kind: supervise.Starting}); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	events := read(t, disk)
	if len(events) != observe.HistorySize {
		t.Fatalf("%d events are kept", len(events))
	}
	for k, e := range events {
		if want := uint64(lives*each - observe.HistorySize + k + 1); e.Number != want {
			t.Errorf("event %d has number %d, want %d", k, e.Number, want)
		}
	}
}

func TestEventsAreWrittenTogether(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	h := opened(t, disk)
	for range 3 {
		if err := h.Add(supervise.Event{Kind: supervise.Starting}); err != nil {
			t.Fatal(err)
		}
	}
	if events := read(t, disk); len(events) > 0 {
		t.Errorf("before a flush there are %v", events)
	}
	if err := h.Flush(); err != nil {
		t.Fatal(err)
	}
	if events := read(t, disk); len(events) != 3 {
		t.Errorf("after it there are %v", events)
	}
	written := disk.Unsynced()
	if err := h.Flush(); err != nil || disk.Unsynced() != written {
		t.Errorf("a flush of nothing wrote %d notes, %v", disk.Unsynced()-written, err)
	}
}

func TestAnEventIsBounded(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	h := opened(t, disk)
	long := strings.Repeat("x", 10*mostText)
	panicked := &supervise.PanicError{Value: errors.New(long), Stack: []byte(long)}
	if err := errors.Join(h.Add(supervise.Event{Kind: supervise.Failed, Reason: supervise.Panic, Err: fmt.Errorf("call: %w", panicked)}), h.Flush()); err != nil {
		t.Fatal(err)
	}
	e := read(t, disk)[0]
	if len(e.Error) < mostText/2 || len(e.Error) > mostText+10 || len(e.Stack) < mostText/2 || len(e.Stack) > mostText+10 {
		t.Errorf("an error of %d bytes and a stack of %d are kept", len(e.Error), len(e.Stack))
	}
}

func TestADamagedEventIsAnError(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	if err := corner(disk).PutNote(noteOf(1), []byte("{")); err != nil {
		t.Fatal(err)
	}
	var h History
	if err := h.Open(corner(disk)); err == nil || !strings.Contains(err.Error(), "read the history") {
		t.Errorf("opened with %v", err)
	}
}
