package quarantine

import (
	"math"
	"time"
)

// Message names a message of an input of a stage.
type Message struct {
	Stage  string `json:"stage"`
	Input  string `json:"input"` // the stream
	Offset uint64 `json:"offset"`
}

func (m Message) isBeside(other Message) bool {
	return m.Stage == other.Stage && m.Input == other.Input
}

// suspect is a message that a stage had in hand when the process died.
type suspect struct {
	Message

	// Near is how many messages before it may have killed the process: they
	// were in hand with it, or have started what did it afterwards.
	Near uint64 `json:"near"`
	// Late is how often the process died when this message was handled and
	// no stage was in the user's code, which was not yet held against it.
	Late int `json:"late,omitempty"`
}

const (
	// Messages before the one in hand that are suspect, too; as many times more
	// when that was not enough, up to as many as there are between two commits.
	nearCalls  = 32
	nearGrowth = 4

	// A message that starts goroutines has this long to do its harm before
	// the next one is handed over. A suspect has longer, and so has its
	// neighbourhood, unless that is large. Of the suspect's pause only the
	// first part, of heldPause, is held against it at once: in a longer one
	// the process might be killed from outside again and again. When it dies
	// in the rest, the part is twice as long next time.
	Pause        = time.Millisecond
	NearPause    = 5 * time.Millisecond
	nearBudget   = time.Second
	suspectPause = 25 * time.Millisecond
	heldPause    = 10 * time.Millisecond
)

func (s suspect) isNear(offset uint64) bool { return offset <= s.Offset && s.Offset-offset <= s.Near }

// pauses are how long a message of the neighbourhood may still do harm, and how
// much of it is held against it.
func (s suspect) pauses(offset uint64) (all, held time.Duration) {
	if offset == s.Offset {
		return suspectPause, min(heldPause<<min(s.Late, 8), suspectPause)
	}
	all = min(max(nearBudget/time.Duration(s.Near), Pause), NearPause)
	return all, all
}

type suspects []suspect

// add has one suspect for each message, with the worst that is known of it.
func (l suspects) add(s suspect) suspects {
	for k := range l {
		if l[k].Message == s.Message {
			l[k].Near, l[k].Late = max(l[k].Near, s.Near), max(l[k].Late, s.Late)
			return l
		}
	}
	return append(l, s)
}

// from leaves out the suspects of an input before a message.
func (l suspects) from(m Message) suspects {
	left := l[:0]
	for _, s := range l {
		if !s.isBeside(m) || s.Offset >= m.Offset {
			left = append(left, s)
		}
	}
	return left
}

// widest is the largest neighbourhood.
func (l suspects) widest() (near uint64) {
	for _, s := range l {
		near = max(near, s.Near)
	}
	return near
}

// late is that of a message.
func (l suspects) late(of Message) int {
	for _, s := range l {
		if s.Message == of {
			return s.Late
		}
	}
	return 0
}

// distance is how many messages from one on are far from every suspect.
func (l suspects) distance(m Message) uint64 {
	far := uint64(math.MaxUint64)
	for _, s := range l {
		switch {
		case !s.isBeside(m) || s.Offset < m.Offset:
		case s.isNear(m.Offset):
			return 0
		default:
			far = min(far, s.Offset-s.Near-m.Offset)
		}
	}
	return far
}

// pauses are how long a message that was handled may still do harm, and how
// much of it is held against it.
func (l suspects) pauses(m Message) (all, held time.Duration) {
	all, held = Pause, Pause
	for _, s := range l {
		if s.isBeside(m) && s.isNear(m.Offset) {
			a, h := s.pauses(m.Offset)
			all, held = max(all, a), max(held, h)
		}
	}
	return all, held
}
