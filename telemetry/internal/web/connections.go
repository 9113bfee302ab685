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
	ConnectionsMost = 1000 // open at once
	AnswersMost     = 900  // under way at once, but for the urgent ones
	MetricsMost     = 4    // gathered at once
	urgentTime      = 5 * time.Second
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
	most    int
	answers chan struct{}

	mu    sync.Mutex
	open  map[net.Conn]*connection
	turns uint64
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

func newConnections(most, answers int) *connections {
	return &connections{most: most, answers: make(chan struct{}, answers), open: map[net.Conn]*connection{}}
}

type connectionKey struct{}

// enter is an http.Server's ConnContext.
func (c *connections) enter(ctx context.Context, conn net.Conn) context.Context {
	here := &connection{Conn: conn, from: HostOf(conn.RemoteAddr().String())}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(here, answerNone)
	c.open[conn] = here
	if len(c.open) > c.most {
		victim := c.victim(here)
		delete(c.open, victim.Conn)
		_ = victim.Close() // the server finds it closed
	}
	return context.WithValue(ctx, connectionKey{}, here)
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

// victim is who has to make room for one that has just come: who waits, or else
// reads an urgent answer too slowly. It must be called with mu held.
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
			select {
			case c.answers <- struct{}{}:
				defer func() { <-c.answers }()
			default:
				w.Header().Set("Retry-After", "1")
				http.Error(w, "too many requests at the same time: try again later", http.StatusServiceUnavailable)
				return
			}
		}
		if here, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.change(here, kind)
			defer c.change(here, answerNone)
		}
		next.ServeHTTP(w, r)
	})
}

func (c *connections) change(here *connection, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(here, a)
}
