package memory

import (
	"fmt"
	"slices"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/rule"
)

// Stream is a stage's stream: messages with dense sequences from 1 on, of which a prefix may be trimmed and a tail that
// was not synced may be lost. Sequences of a lost tail are used again. Not safe for concurrent use; see [Log].
type Stream struct {
	first    uint64 // sequence of messages[0]
	messages []message
	entries  []uint64 // sequences on the register
	synced   uint64   // last sequence on disk
}

// Subject is one of those that a stage's stream has. Their messages share its sequences.
type Subject uint8

// The subjects.
const (
	Commits  Subject = iota // commits and seals
	Register                // entries of owners
)

// Expectation is what a publish expects of the stream, or else is not stored: the last sequence of a subject, which may
// be another one than its own. 0: the subject has no message.
type Expectation struct {
	On   Subject
	Last uint64
}

// message is a frame, or what another client has published.
type message struct {
	data    []byte
	frame   *frame.Frame // nil: it is foreign
	subject Subject
}

// NewStream returns one that is empty.
func NewStream() *Stream { return &Stream{first: 1} }

// First and Last are the sequences that are stored; First > Last: none. Synced is the last one on disk.
func (s *Stream) First() uint64  { return s.first }
func (s *Stream) Last() uint64   { return s.first + uint64(len(s.messages)) - 1 }
func (s *Stream) Synced() uint64 { return s.synced }

// LastOn is the last sequence of a subject.
func (s *Stream) LastOn(subject Subject) uint64 {
	if len(s.messages) == 0 && subject == Commits {
		return s.Last()
	}
	for sequence := s.Last(); sequence >= s.first; sequence-- {
		if s.at(sequence).subject == subject {
			return sequence
		}
	}
	return 0
}

// Pending counts the messages on the subject of commits from a sequence on.
func (s *Stream) Pending(from uint64) (n uint64) {
	if from = max(from, s.first); from > s.Last() {
		return 0
	}
	n = s.Last() + 1 - from
	for k := len(s.entries) - 1; k >= 0 && s.entries[k] >= from; k-- {
		n--
	}
	return n
}

// NextOnCommits is the first sequence from one on that is on the subject of commits; behind Last: none.
func (s *Stream) NextOnCommits(from uint64) uint64 {
	sequence := max(from, s.first)
	for sequence <= s.Last() && s.On(sequence) != Commits {
		sequence++
	}
	return sequence
}

// Len counts the messages that are stored.
func (s *Stream) Len() int { return len(s.messages) }

// On, Data, Frame and IsForeign tell of a message that is stored. A foreign one has no frame.
func (s *Stream) On(sequence uint64) Subject         { return s.at(sequence).subject }
func (s *Stream) Data(sequence uint64) []byte        { return s.at(sequence).data }
func (s *Stream) Frame(sequence uint64) *frame.Frame { return s.at(sequence).frame }
func (s *Stream) IsForeign(sequence uint64) bool     { return s.at(sequence).frame == nil }

func (s *Stream) at(sequence uint64) *message { return &s.messages[sequence-s.first] }

// Record is a frame that is stored.
func (s *Stream) Record(sequence uint64) channel.Record {
	m := s.at(sequence)
	return channel.Record{Sequence: sequence, Tail: s.LastOn(m.subject), Size: len(m.data), Frame: m.frame, Data: m.data}
}

// errForeign is what a start finds at a foreign message that it does not set aside.
var errForeign = fmt.Errorf("%w: a foreign message", channel.ErrCorruptFrame)

// LastCommit is the last commit, whatever others have put behind it, and also where a seal follows it.
func (s *Stream) LastCommit() (rec channel.Record, found bool, err error) {
	return s.lastFrame(Commits, frame.Kind.IsCommit)
}

// End is the last commit or seal.
func (s *Stream) End() (rec channel.Record, found bool, err error) {
	return s.lastFrame(Commits, isAny)
}

// Newest is the newest entry in the register.
func (s *Stream) Newest() (rec channel.Record, found bool, err error) {
	return s.lastFrame(Register, isAny)
}

func isAny(frame.Kind) bool { return true }

func (s *Stream) lastFrame(subject Subject, is func(frame.Kind) bool) (rec channel.Record, found bool, err error) {
	rec.Tail = s.LastOn(subject)
	for sequence := s.Last(); sequence >= s.first; sequence-- {
		switch {
		case s.On(sequence) != subject:
		case !s.IsForeign(sequence):
			if is(s.Frame(sequence).Kind) {
				return s.Record(sequence), true, nil
			}
		case !rule.ForeignCheck:
			return rec, false, errForeign
		}
	}
	return rec, false, nil
}

// Append stores a commit if expected is the last sequence of its subject, and else refuses it as [channel.ErrConflict].
func (s *Stream) Append(data []byte, expected uint64) (sequence uint64, err error) {
	return s.Store(Commits, data, Expectation{Commits, expected})
}

// Store stores a frame if the stream is as expected, and else refuses it as [channel.ErrConflict].
func (s *Stream) Store(subject Subject, data []byte, e Expectation) (sequence uint64, err error) {
	isAsked := rule.Fencing
	if e.On != subject { // a seal
		isAsked = rule.SealExpectation
	}
	if last := s.LastOn(e.On); isAsked && e.Last != last {
		return 0, fmt.Errorf("%w: the last sequence is %d", channel.ErrConflict, last)
	}
	f, err := frame.Decode(data)
	if err != nil {
		return 0, err
	}
	return s.add(message{data, f, subject}), nil
}

// AppendForeign stores what another client publishes to the subject of commits.
func (s *Stream) AppendForeign(data []byte) (sequence uint64) {
	return s.AppendForeignTo(Commits, data)
}

// AppendForeignTo stores what another client publishes.
func (s *Stream) AppendForeignTo(subject Subject, data []byte) (sequence uint64) {
	return s.add(message{data: data, subject: subject})
}

func (s *Stream) add(m message) (sequence uint64) {
	s.messages = append(s.messages, m)
	if m.subject == Register {
		s.entries = append(s.entries, s.Last())
	}
	return s.Last()
}

// keepEntries forgets those that are not stored any more.
func (s *Stream) keepEntries() {
	s.entries = slices.DeleteFunc(s.entries, func(sequence uint64) bool { return sequence < s.first || sequence > s.Last() })
}

// Sync brings everything to the disk.
func (s *Stream) Sync() { s.synced = s.Last() }

// Lose takes what is behind a sequence, as a cut of the power does.
func (s *Stream) Lose(keep uint64) {
	keep = max(keep, s.first-1)
	s.messages = s.messages[:keep+1-s.first]
	s.synced = keep
	s.keepEntries()
}

// CommitsBehind counts the commits behind a sequence.
func (s *Stream) CommitsBehind(sequence uint64) (n int) {
	for at := sequence + 1; at <= s.Last(); at++ {
		if s.IsCommit(at) {
			n++
		}
	}
	return n
}

// IsCommit says that a message is a commit, and neither a seal nor foreign.
func (s *Stream) IsCommit(sequence uint64) bool {
	return !s.IsForeign(sequence) && s.On(sequence) == Commits && s.Frame(sequence).Kind.IsCommit()
}

// Trim removes what is before a sequence, but neither the last commit nor the newest entry, and says whether there was
// something.
func (s *Stream) Trim(before uint64) bool {
	last, found, err := s.LastCommit()
	if err != nil || !found {
		return false
	}
	before = min(before, last.Sequence)
	if newest, found, _ := s.Newest(); found {
		before = min(before, newest.Sequence)
	}
	return s.Purge(before)
}

// Purge removes what is before a sequence, but never the last message, and says whether there was something.
func (s *Stream) Purge(before uint64) bool {
	if before = min(before, s.Last()); before <= s.first || len(s.messages) == 0 {
		return false
	}
	s.messages = s.messages[before-s.first:]
	s.first = before
	s.keepEntries()
	return true
}

// TakeBack removes a commit or seal. What others have put behind it stays.
func (s *Stream) TakeBack(sequence uint64) {
	if sequence < s.Last() {
		*s.at(sequence) = message{}
		return
	}
	s.messages = s.messages[:len(s.messages)-1]
	s.synced = min(s.synced, s.Last())
}

// Replay calls fn for each commit from a sequence on, up to the one that is the last as it begins. It calls
// step before it looks at a message; meanwhile the stream may change.
func (s *Stream) Replay(from uint64, step func(), fn func(channel.Record) error) error {
	last, found, err := s.LastCommit()
	if err != nil || !found {
		return err
	}
	for next := from; ; next++ {
		step()
		next = max(next, s.first)
		if next > last.Sequence || next > s.Last() {
			return nil
		}
		if s.On(next) != Commits {
			continue
		}
		if s.IsForeign(next) {
			if !rule.ForeignCheck {
				return errForeign
			}
			continue
		}
		if !s.IsCommit(next) {
			continue
		}
		if err := fn(s.Record(next)); err != nil {
			return err
		}
	}
}

// Info tells how much is stored.
func (s *Stream) Info() channel.Info {
	info := channel.Info{First: s.first, Last: s.Last(), Frames: uint64(len(s.messages))}
	for k := range s.messages {
		info.Bytes += uint64(len(s.messages[k].data))
	}
	return info
}
