package socket

import (
	"net"
	"net/http"
	"sync"

	"penstock/internal/openfiles"
)

// Connections that are open at once, where the process may open that many files, and
// however few those are.
const (
	connectionsMost  = 2 * controlCallers
	connectionsLeast = 8
)

// connections closes the one that waits longest for a request when there are too many:
// so callers that say nothing keep no other out, and the pipeline does not run out of files.
// Safe for concurrent use.
type connections struct {
	mu    sync.Mutex
	most  func() int
	open  map[net.Conn]connection
	turns uint64
}

type connection struct {
	turn    uint64 // since which it waits or is answered
	answers bool
}

// newConnections bounds them by what the open files of the process leave. The share must
// be closed.
func newConnections() (*connections, *openfiles.Share) {
	c := &connections{open: map[net.Conn]connection{}}
	resize := func(s *openfiles.Share) { c.resize(s.Most) }
	share := openfiles.Listen(connectionsLeast, connectionsMost, resize)
	resize(share)
	return c, share
}

func (c *connections) resize(most func() int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = most
	c.makeRoom()
}

// note is an http.Server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(c.open, conn)
		return
	}
	if _, isOpen := c.open[conn]; !isOpen && state != http.StateNew {
		return // it had to make room
	}
	c.turns++
	c.open[conn] = connection{c.turns, state == http.StateActive}
	c.makeRoom()
}

// makeRoom must be called with mu held.
func (c *connections) makeRoom() {
	for len(c.open) > c.most() {
		victim := c.victim()
		delete(c.open, victim)
		_ = victim.Close() // the server finds it closed
	}
}

// victim is the connection that waits longest, or else the newest. It must be called
// with mu held.
func (c *connections) victim() (victim net.Conn) {
	isFirst := func(a, b connection) bool {
		switch {
		case a.answers != b.answers:
			return b.answers
		case a.answers:
			return a.turn > b.turn
		}
		return a.turn < b.turn
	}
	for conn, one := range c.open {
		if victim == nil || isFirst(one, c.open[victim]) {
			victim = conn
		}
	}
	return victim
}
