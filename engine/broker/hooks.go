package broker

import (
	"maps"
	"slices"
	"sync"
)

// hooks are functions to call, in the order in which they came.
type hooks struct {
	mu   sync.Mutex
	next int
	fns  map[int]func()
}

func (h *hooks) add(fn func()) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fns == nil {
		h.fns = make(map[int]func())
	}
	id := h.next
	h.next++
	h.fns[id] = fn
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.fns, id)
	}
}

// call lets the functions add and remove others.
func (h *hooks) call() {
	h.mu.Lock()
	fns := make([]func(), 0, len(h.fns))
	for _, id := range slices.Sorted(maps.Keys(h.fns)) {
		fns = append(fns, h.fns[id])
	}
	h.mu.Unlock()
	for _, fn := range fns {
		fn()
	}
}
