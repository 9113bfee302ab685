package supervise

import "sync"

// mailbox is how everybody else reaches the manager of a group. Posting never blocks, so that an abandoned goroutine
// that returns at last cannot hang. What waits in it is bounded by those who post: a life posts twice, a probe and a
// recovery function once, and a command waits for its answer.
type mailbox struct {
	mu     sync.Mutex
	queue  []func()
	closed bool
	wake   chan struct{} // holds one token when something was posted
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// post has the manager call do; false means that there is none any more.
func (m *mailbox) post(do func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.queue = append(m.queue, do)
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return true
}

// take returns all that waits, the oldest first.
func (m *mailbox) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	news := m.queue
	m.queue = nil
	return news
}

func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.queue = true, nil
}
