package memory

import (
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/rule"
)

// Stream is a stage's stream: messages with dense sequences from 1 on, of which a prefix may be trimmed and a tail that
// was not synced may be lost. Sequences of a lost tail are used again. Not safe for concurrent use; see [Log].
type Stream struct {
	first    uint64 // sequence of messages[0]
	messages []message
	synced   uint64 // last sequence on disk
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

// LastFrame is the last commit or seal, whatever others have put behind it.
func (s *Stream) LastFrame() (rec channel.Record, found bool, err error) { return s.lastFrame(Commits) }

// Newest is the newest entry in the register.
func (s *Stream) Newest() (rec channel.Record, found bool, err error) { return s.lastFrame(Register) }

func (s *Stream) lastFrame(subject Subject) (rec channel.Record, found bool, err error) {
	rec.Tail = s.LastOn(subject)
	for sequence := s.Last(); sequence >= s.first; sequence-- {
		switch {
		case s.On(sequence) != subject:
		case !s.IsForeign(sequence):
			return s.Record(sequence), true, nil
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
	s.messages = append(s.messages, message{data, f, subject})
	return s.Last(), nil
}

// AppendForeign stores what another client publishes to the subject of commits.
func (s *Stream) AppendForeign(data []byte) (sequence uint64) {
	return s.AppendForeignTo(Commits, data)
}

// AppendForeignTo stores what another client publishes.
func (s *Stream) AppendForeignTo(subject Subject, data []byte) (sequence uint64) {
	s.messages = append(s.messages, message{data: data, subject: subject})
	return s.Last()
}

// Sync brings everything to the disk.
func (s *Stream) Sync() { s.synced = s.Last() }

// Lose takes what is behind a sequence, as a cut of the power does.
func (s *Stream) Lose(keep uint64) {
	keep = max(keep, s.first-1)
	s.messages = s.messages[:keep+1-s.first]
	s.synced = keep
}

// FramesBehind counts the commits and seals behind a sequence.
func (s *Stream) FramesBehind(sequence uint64) (n int) {
	for at := sequence + 1; at <= s.Last(); at++ {
		if !s.IsForeign(at) && s.On(at) == Commits {
			n++
		}
	}
	return n
}

// Purge removes what is before a sequence, but never the last message, and says whether there was something.
func (s *Stream) Purge(before uint64) bool {
	if before = min(before, s.Last()); before <= s.first || len(s.messages) == 0 {
		return false
	}
	s.messages = s.messages[before-s.first:]
	s.first = before
	return true
}

// TakeBack removes a commit. What others have put behind it stays.
func (s *Stream) TakeBack(sequence uint64) {
	if sequence < s.Last() {
		*s.at(sequence) = message{}
		return
	}
	s.messages = s.messages[:len(s.messages)-1]
	s.synced = min(s.synced, s.Last())
}

// Replay calls fn for each commit and seal from a sequence on, up to the one that is the last as it begins. It calls
// step before it looks at a message; meanwhile the stream may change.
func (s *Stream) Replay(from uint64, step func(), fn func(channel.Record) error) error {
	last, found, err := s.LastFrame()
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
