package socket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// waitsAfter is how long a user is not told what is waited for.
	waitsAfter = time.Second

	// slowest is how many bytes of an answer earn one second of patience.
	slowest = 256 << 10
)

// patience bounds how long an answer is waited for in all, its head included. What comes earns more of it: a long
// answer takes its time, and one that drips ends. Only waiting counts, not what the caller does with the answer.
type patience struct {
	socket string
	most   time.Duration // without anything that earns more; 0: no bound
	waits  func()        // called once, when waitsAfter has been waited; or nil

	mu     sync.Mutex
	left   time.Duration // of most
	waited time.Duration
	bytes  int64
}

func newPatience(socket string, most time.Duration, waits func()) *patience {
	return &patience{socket: socket, most: most, left: most, waits: waits}
}

// renew begins anew: the answer has made progress.
func (p *patience) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = p.most
}

// end takes the bound away, when only time can tell what comes next.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = 0
}

// next is how long a read may last, and whether there is a bound.
func (p *patience) next() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waits != nil && p.waited < waitsAfter {
		return min(p.left, waitsAfter-p.waited), p.most > 0
	}
	return p.left, p.most > 0
}

// took counts a read, and says whether there is patience left.
func (p *patience) took(n int, since time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == 0 {
		return true
	}
	p.waited += since
	p.bytes += int64(n)
	p.left = min(p.left-since+time.Duration(n)*time.Second/slowest, p.most)
	if p.waits != nil && p.waited >= waitsAfter {
		p.waits()
		p.waits = nil
	}
	return p.left > 0
}

func (p *patience) error() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes == 0 {
		return fmt.Errorf("the control socket %s was silent for %v: see which process serves it: %w", p.socket, p.most, os.ErrDeadlineExceeded)
	}
	return fmt.Errorf("the answer on the control socket %s is too slow: %d bytes came, and %v of waiting are over: see which process serves it: %w",
		p.socket, p.bytes, p.most, os.ErrDeadlineExceeded)
}

// patientConn reads with patience.
type patientConn struct {
	net.Conn
	patience *patience
}

// Read reads a piece.
func (c *patientConn) Read(data []byte) (int, error) {
	for {
		most, bounded := c.patience.next()
		deadline := time.Time{}
		began := time.Now()
		if bounded {
			deadline = began.Add(most)
		}
		if err := c.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(data)
		isOver := errors.Is(err, os.ErrDeadlineExceeded)
		since := time.Since(began)
		if isOver {
			since = max(since, most)
		}
		if !c.patience.took(n, since) {
			return 0, c.patience.error() // without the last bytes: with them net/http would lose the error
		}
		if !isOver {
			return n, err
		}
	}
}
