package web

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of what is answered at once, so that neither the pipeline runs out of
// files nor a probe out of patience.
const (
	ConnectionsMost  = 1000                     // open at once, where the process may open that many files
	ConnectionsLeast = 8                        // however few those are
	AnswersMost      = 9 * ConnectionsMost / 10 // under way at once, but for the urgent ones
	urgentLeast      = 4                        // connections that are left to these
	MetricsMost      = 4                        // gathered at once
	urgentTime       = 5 * time.Second
)

// isUrgent says that a path is asked by those who watch over the process, and
// kill it when no answer comes.
func isUrgent(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics"
}

// connections lets everyone in. When there are too many it closes one that
// waits for a request: of the address that has most of these, the one that
// waits longest. So a client that floods the server does not keep others out, and a proxy
// or a prober with many connections is not shut out while there is room. Safe
// for concurrent use.
type connections struct {
	mu      sync.Mutex
	most    func() int // may be open at the moment
	open    map[net.Conn]*connection
	answers int // under way, but for the urgent ones
	turns   uint64
}

// connection is one that is open. The mutex of connections guards it.
type connection struct {
	net.Conn
	from   string // address without port
	turn   uint64 // since which it does what it does
	answer answer
}

// answer is what a connection gets at the moment.
type answer int

const (
	answerNone   answer = iota // it waits for a request, or for the rest of one
	answerUrgent               // to a path that is urgent
	answerOther
)

func newConnections(most func() int) *connections {
	return &connections{most: most, open: map[net.Conn]*connection{}}
}

// answersMost leaves a tenth of the connections to urgent answers, and not too few.
func answersMost(connections int) int { return min(9*connections/10, connections-urgentLeast) }

type connectionKey struct{}

// enter is an http.Server's ConnContext.
func (c *connections) enter(ctx context.Context, conn net.Conn) context.Context {
	here := &connection{Conn: conn, from: HostOf(conn.RemoteAddr().String())}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(here, answerNone)
	c.open[conn] = here
	if len(c.open) > c.most() {
		c.close(c.victim(here))
	}
	return context.WithValue(ctx, connectionKey{}, here)
}

// resize closes what is too much, if most has become less: those that get an answer
// too, if no other is left.
func (c *connections) resize(most func() int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = most
	for len(c.open) > c.most() {
		victim := c.victim(nil)
		if victim == nil {
			victim = c.oldest()
		}
		c.close(victim)
	}
}

// oldest must be called with mu held.
func (c *connections) oldest() (oldest *connection) {
	for _, one := range c.open {
		if oldest == nil || one.turn < oldest.turn {
			oldest = one
		}
	}
	return oldest
}

// close must be called with mu held. The server finds the connection closed.
func (c *connections) close(one *connection) {
	delete(c.open, one.Conn)
	_ = one.Close()
}

// left is an http.Server's ConnState.
func (c *connections) left(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, conn)
	}
}

// set must be called with mu held.
func (c *connections) set(here *connection, a answer) {
	c.turns++
	here.answer, here.turn = a, c.turns
}

// victim is who has to make room for the newest, nil for none: who waits, or else
// reads an urgent answer too slowly; or else the newest itself. It must be called with
// mu held.
func (c *connections) victim(newest *connection) *connection {
	waiting := map[string]int{}
	for _, one := range c.open {
		if one.answer == answerNone {
			waiting[one.from]++
		}
	}
	best := newest
	better := func(one *connection) bool {
		switch {
		case one == newest || one.answer == answerOther:
			return false
		case best == newest || one.answer != best.answer:
			return best == newest || one.answer == answerNone
		case one.answer == answerNone && waiting[one.from] != waiting[best.from]:
			return waiting[one.from] > waiting[best.from]
		}
		return one.turn < best.turn
	}
	for _, one := range c.open {
		if better(one) {
			best = one
		}
	}
	return best
}

// Wrap notes which connections get an answer, and refuses what would take the
// places of urgent ones.
func (c *connections) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := answerOther
		if isUrgent(r.URL.Path) {
			kind = answerUrgent
			// It fails only where there is no deadline to set.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(urgentTime))
		} else {
			if !c.begin() {
				w.Header().Set("Retry-After", "1")
				http.Error(w, "too many requests at the same time: try again later", http.StatusServiceUnavailable)
				return
			}
			defer c.end()
		}
		if here, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.change(here, kind)
			defer c.change(here, answerNone)
		}
		next.ServeHTTP(w, r)
	})
}

// begin takes a place for an answer that is not urgent.
func (c *connections) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers >= answersMost(c.most()) {
		return false
	}
	c.answers++
	return true
}

func (c *connections) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers--
}

func (c *connections) change(here *connection, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(here, a)
}
