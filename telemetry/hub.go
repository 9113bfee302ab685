package telemetry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
)

// hub passes on what happens to all who listen. What goes to all is encoded
// once. Who does not keep up is cut off, and comes again. Safe for concurrent
// use.
type hub struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
	closed    bool
}

// listener is one who listens.
type listener struct {
	news chan []byte // closed when it was cut off, or at the end
}

const (
	listenersMost = 500
	newsWaiting   = 64
)

func newHub() *hub { return &hub{listeners: map[*listener]struct{}{}} }

// join is false when there are too many already.
func (h *hub) join() (*listener, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.listeners) >= listenersMost {
		return nil, false
	}
	l := &listener{news: make(chan []byte, newsWaiting)}
	h.listeners[l] = struct{}{}
	return l, true
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(l)
}

// drop must be called with mu held.
func (h *hub) drop(l *listener) {
	if _, listens := h.listeners[l]; listens {
		delete(h.listeners, l)
		close(l.news)
	}
}

// count is how many listen.
func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners)
}

// send never blocks.
func (h *hub) send(kind string, value any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) == 0 {
		return
	}
	message, err := eventMessage(kind, value)
	if err != nil {
		return // a value of ours always encodes
	}
	for l := range h.listeners {
		select {
		case l.news <- message:
		default:
			h.drop(l)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.listeners {
		h.drop(l)
	}
}

// eventMessage is one message of a text/event-stream.
func eventMessage(kind string, value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a %s: %w", kind, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, data)
	return b.Bytes(), nil
}
