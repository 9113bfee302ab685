package quarantine

import (
	"log/slog"
	"slices"
	"testing"

	"penstock/engine/internal/inflight"
	"penstock/engine/internal/memory"
)

// stages answers for one stage that reads one stream, and keeps who is blamed.
type stages struct {
	consumed uint64 // up to this offset
	blamed   []Message
}

var _ Tasks = (*stages)(nil)

func (s *stages) Inputs(instance string) (stage string, streams []string, found bool) {
	return "worker", []string{"numbers"}, instance == "worker.0"
}

func (s *stages) IsAhead(m Message) bool { return m.Offset >= s.consumed }

func (s *stages) Blame(m Message) error {
	s.blamed = append(s.blamed, m)
	return nil
}

// died is what the process of an opening was doing when it died: it handled one message.
func died(opening, offset uint64) inflight.Last {
	return inflight.Last{Opening: opening, Calls: map[string]inflight.Call{
		"worker.0": {Kind: inflight.Message, Offset: offset, Count: 1},
	}}
}

func begun(t *testing.T, disk *memory.Disk, tasks *stages, last inflight.Last) *Mode {
	t.Helper()
	m := New(Config{Log: slog.New(slog.DiscardHandler), Notes: disk.Corner("", func(bool) {}), Tasks: tasks, PokeAll: func() {}, Batch: 1 << 14})
	if err := m.Begin(last); err != nil {
		t.Fatal(err)
	}
	return m
}

// The first death makes a message suspect. If the next process dies of it too, handled alone, it has failed an attempt;
// and when it is passed, the note of it goes.
func TestASecondDeathAtTheSameMessageIsItsAttempt(t *testing.T) {
	t.Parallel()
	disk, tasks := memory.NewDisk(), &stages{}
	if m := begun(t, disk, tasks, died(1, 7)); !m.IsOn() || len(tasks.blamed) != 0 || m.Distance(Message{"worker", "numbers", 7}) != 0 {
		t.Errorf("after the first death: on %v, blamed %v", m.IsOn(), tasks.blamed)
	}
	m := begun(t, disk, tasks, died(2, 7))
	guilty := []Message{{"worker", "numbers", 7}}
	if !m.IsOn() || !slices.Equal(tasks.blamed, guilty) {
		t.Fatalf("after the second death: on %v, blamed %v, want %v", m.IsOn(), tasks.blamed, guilty)
	}
	if again := begun(t, disk, tasks, died(2, 7)); !again.IsOn() || len(tasks.blamed) != 1 {
		t.Errorf("the same death, read once more: on %v, blamed %v", again.IsOn(), tasks.blamed)
	}
	m.Passed(Message{"worker", "numbers", 8})
	<-m.Over()
	if _, found, err := m.config.Notes.Note(note); m.IsOn() || found || err != nil {
		t.Errorf("after the message was passed: on %v, noted %v, %v", m.IsOn(), found, err)
	}
}

// What a build before has noted is understood, and what is noted is what it wrote.
func TestTheNoteIsWrittenAsBefore(t *testing.T) {
	t.Parallel()
	const written = `{"death":1,"suspects":[{"stage":"worker","input":"numbers","offset":7,"near":33,"late":2},{"stage":"worker","input":"numbers","offset":9,"near":32}]}`
	disk, tasks := memory.NewDisk(), &stages{}
	corner := disk.Corner("", func(bool) {})
	if err := corner.PutNote(note, []byte(written)); err != nil {
		t.Fatal(err)
	}
	m := begun(t, disk, tasks, died(1, 7)) // that death is known: the note is written again
	if got, _, err := corner.Note(note); string(got) != written || err != nil {
		t.Errorf("noted: %s, %v", got, err)
	}
	if near := m.Distance(Message{"worker", "numbers", 0}); !m.IsOn() || near != 0 || len(tasks.blamed) != 0 {
		t.Errorf("on %v, distance %d, blamed %v", m.IsOn(), near, tasks.blamed)
	}
}

func TestMessagesThatAreCommittedAreNoSuspects(t *testing.T) {
	t.Parallel()
	tasks := &stages{consumed: 8}
	if m := begun(t, memory.NewDisk(), tasks, died(1, 7)); m.IsOn() {
		t.Error("a message whose effect is committed is in quarantine")
	}
}
