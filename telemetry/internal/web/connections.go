package web

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"penstock/internal/crowd"
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

// connections bounds the connections and the answers of the server. Safe for
// concurrent use.
type connections struct {
	*crowd.Set
	mu      sync.Mutex
	answers int // under way, but for the urgent ones
}

func newConnections() *connections {
	return &connections{Set: crowd.New(func() int { return ConnectionsLeast })}
}

// answersMost leaves a tenth of the connections to urgent answers, and not too few.
func answersMost(connections int) int { return min(9*connections/10, connections-urgentLeast) }

type connectionKey struct{}

// enter is an http.Server's ConnContext.
func (c *connections) enter(ctx context.Context, conn net.Conn) context.Context {
	c.Enter(conn, HostOf(conn.RemoteAddr().String()))
	return context.WithValue(ctx, connectionKey{}, conn)
}

// left is an http.Server's ConnState.
func (c *connections) left(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.Leave(conn)
	}
}

// Wrap notes which connections get an answer, and refuses what would take the
// places of urgent ones.
func (c *connections) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		use := crowd.Answered
		if isUrgent(r.URL.Path) {
			use = crowd.Urgent
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
		if conn, ok := r.Context().Value(connectionKey{}).(net.Conn); ok {
			c.Change(conn, use)
			defer c.Change(conn, crowd.Waiting)
		}
		next.ServeHTTP(w, r)
	})
}

// begin takes a place for an answer that is not urgent.
func (c *connections) begin() bool {
	most := answersMost(c.Most())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers >= most {
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
