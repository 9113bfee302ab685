package memory

import (
	"context"
	"errors"
	"testing"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
)

// Two subjects of a stream share its sequences, and each has a last one that publishes can expect.
func TestAPublishExpectsTheLastMessageOfASubject(t *testing.T) {
	t.Parallel()
	data, err := frame.Append(nil, &frame.Frame{Commit: 1}, frame.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := NewStream()
	for _, step := range []struct {
		subject Subject
		expects Expectation
		want    uint64 // 0: it is refused
	}{
		{Commits, Expectation{Commits, 0}, 1},
		{Register, Expectation{Register, 1}, 0},
		{Register, Expectation{Register, 0}, 2},
		{Commits, Expectation{Commits, 2}, 0},
		{Commits, Expectation{Commits, 1}, 3},
		{Commits, Expectation{Register, 3}, 0},
		{Commits, Expectation{Register, 2}, 4},
		{Register, Expectation{Register, 2}, 5},
		{Commits, Expectation{Register, 2}, 0},
	} {
		sequence, err := s.Store(step.subject, data, step.expects)
		if sequence != step.want || errors.Is(err, channel.ErrConflict) != (step.want == 0) {
			t.Errorf("%+v: %d, %v", step, sequence, err)
		}
	}
	newest, found, err := s.Newest()
	if last, _, _ := s.End(); err != nil || !found || newest.Sequence != 5 || last.Sequence != 4 || last.Tail != 4 {
		t.Errorf("newest %+v, last %+v, %v", newest, last, err)
	}
	s.AppendForeignTo(Register, []byte("garbage"))
	if newest, _, _ := s.Newest(); newest.Sequence != 5 || newest.Tail != 6 {
		t.Errorf("behind a message of another client: %+v", newest)
	}
	s.Purge(6)
	if s.LastOn(Commits) != 0 || s.LastOn(Register) != 6 {
		t.Errorf("purged, the subjects end at %d and %d", s.LastOn(Commits), s.LastOn(Register))
	}
}

// Readers of commits see nothing of the register.
func TestReadersPassOverTheRegister(t *testing.T) {
	t.Parallel()
	data, err := frame.Append(nil, &frame.Frame{Commit: 1}, frame.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := newLog("pipeline", plan.Only("stage"))
	for _, subject := range []Subject{Register, Commits, Register, Register, Commits} {
		if _, err := l.stream.Store(subject, data, Expectation{subject, l.stream.LastOn(subject)}); err != nil {
			t.Fatal(err)
		}
	}
	f := &feed{log: l, next: 1}
	for _, want := range []uint64{2, 5} {
		if m, found, _ := f.Next(); !found || m.Sequence != want || !m.IsCommit {
			t.Errorf("%+v, %v; want sequence %d", m, found, want)
		}
	}
	if m, found, _ := f.Next(); found {
		t.Errorf("one more: %+v", m)
	}
	var replayed []uint64
	if err := l.Replay(context.Background(), 1, func(r channel.Record) error {
		replayed = append(replayed, r.Sequence)
		return nil
	}); err != nil || len(replayed) != 2 {
		t.Errorf("replayed %v, %v", replayed, err)
	}
}
