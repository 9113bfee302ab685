package crowd

import (
	"net"
	"sync"
)

// Use is what a connection is used for at the moment.
type Use int

const (
	Waiting  Use = iota // for a request, or for the rest of one
	Urgent              // it gets an answer that soon ends
	Answered            // it gets an answer
)

// Set are the connections of a listener. It lets each in. When there are too many it closes one that waits: of the
// address that has most of these, the one that waits longest. So a client that floods the listener does not keep others
// out, and one with many connections is not shut out while there is room. Safe for concurrent use.
type Set struct {
	mu    sync.Mutex
	most  func() int // may be open at the moment
	open  map[net.Conn]*member
	turns uint64
}

// member is a connection that is open. The mutex of the set guards it.
type member struct {
	net.Conn
	from string
	turn uint64 // since which it is used so
	use  Use
}

// New returns a set that bounds itself by most.
func New(most func() int) *Set { return &Set{most: most, open: map[net.Conn]*member{}} }

// Most is how many connections may be open at the moment.
func (s *Set) Most() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most()
}

// Enter adds a connection from an address, "" where all come from the same.
func (s *Set) Enter(conn net.Conn, from string) {
	here := &member{Conn: conn, from: from}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(here, Waiting)
	s.open[conn] = here
	if len(s.open) > s.most() {
		s.close(s.victim(here))
	}
}

// Change notes what a connection is used for from now on. It does nothing to one that had to make room.
func (s *Set) Change(conn net.Conn, use Use) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if here := s.open[conn]; here != nil {
		s.set(here, use)
	}
}

// Leave forgets a connection that is closed, or that another one serves now.
func (s *Set) Leave(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// Resize closes what is too much, if most has become less: those that get an answer too, if no other is left.
func (s *Set) Resize(most func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = most
	for len(s.open) > s.most() {
		victim := s.victim(nil)
		if victim == nil {
			victim = s.oldest()
		}
		s.close(victim)
	}
}

// oldest must be called with mu held.
func (s *Set) oldest() (oldest *member) {
	for _, one := range s.open {
		if oldest == nil || one.turn < oldest.turn {
			oldest = one
		}
	}
	return oldest
}

// close must be called with mu held. The server finds the connection closed.
func (s *Set) close(one *member) {
	delete(s.open, one.Conn)
	_ = one.Close()
}

// set must be called with mu held.
func (s *Set) set(here *member, use Use) {
	s.turns++
	here.use, here.turn = use, s.turns
}

// victim is the connection that has to make room for the newest, nil for none: one that waits, or else one that reads
// an urgent answer too slowly; or else the newest itself. It must be called with mu held.
func (s *Set) victim(newest *member) *member {
	waiting := map[string]int{}
	for _, one := range s.open {
		if one.use == Waiting {
			waiting[one.from]++
		}
	}
	best := newest
	better := func(one *member) bool {
		switch {
		case one == newest || one.use == Answered:
			return false
		case best == newest || one.use != best.use:
			return best == newest || one.use == Waiting
		case one.use == Waiting && waiting[one.from] != waiting[best.from]:
			return waiting[one.from] > waiting[best.from]
		}
		return one.turn < best.turn
	}
	for _, one := range s.open {
		if better(one) {
			best = one
		}
	}
	return best
}
