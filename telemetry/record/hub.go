package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
)

// Hub passes on what happens to all who listen. What goes to all is encoded
// once. Who does not keep up is cut off, and comes again. Safe for concurrent
// use.
type Hub struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
	closed    bool
}

// listener is one who listens.
type listener struct {
	News chan []byte // closed when it was cut off, or at the end
}

const (
	ListenersMost = 500
	newsWaiting   = 64
)

// NewHub returns a hub without listeners.
func NewHub() *Hub { return &Hub{listeners: map[*listener]struct{}{}} }

// Join is false when there are too many already.
func (h *Hub) Join() (*listener, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.listeners) >= ListenersMost {
		return nil, false
	}
	l := &listener{News: make(chan []byte, newsWaiting)}
	h.listeners[l] = struct{}{}
	return l, true
}

// Leave ends listening.
func (h *Hub) Leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(l)
}

// drop must be called with mu held.
func (h *Hub) drop(l *listener) {
	if _, listens := h.listeners[l]; listens {
		delete(h.listeners, l)
		close(l.News)
	}
}

// Count is how many listen.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners)
}

// Send never blocks.
func (h *Hub) Send(kind string, value any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) == 0 {
		return
	}
	message, err := EventMessage(kind, value)
	if err != nil {
		return // a value of ours always encodes
	}
	for l := range h.listeners {
		select {
		case l.News <- message:
		default:
			h.drop(l)
		}
	}
}

// Close disconnects all listeners and accepts no new ones.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.listeners {
		h.drop(l)
	}
}

// EventMessage is one message of a text/event-stream.
func EventMessage(kind string, value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a %s: %w", kind, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, data)
	return b.Bytes(), nil
}
