package openfiles

import (
	"math"
	"sync"
	"sync/atomic"
)

// process is the budget of this process.
var process = &budget{limit: Limit, shares: map[*Share]struct{}{}}

// Reserve keeps this many files from the listeners until release is called, once.
// Safe for concurrent use.
func Reserve(files int) (release func()) { return process.reserve(files) }

// Listen gives a listener its share of the connections that the limit leaves: at most
// want, and never fewer than least. changed is called with it, by any goroutine, when
// the number is another one than the first. Close must follow. Safe for concurrent use.
func Listen(least, want int, changed func(*Share)) *Share {
	return process.listen(least, want, changed)
}

// Share is how many connections a listener may have open. Safe for concurrent use.
type Share struct {
	budget      *budget
	least, want int
	changed     func(*Share)
	most        atomic.Int64
}

// Most is the number at the moment.
func (s *Share) Most() int { return int(s.most.Load()) }

// Close gives the share to the other listeners.
func (s *Share) Close() {
	s.budget.change(func() { delete(s.budget.shares, s) })
}

// budget divides the files of a process.
type budget struct {
	limit func() (limit uint64, isKnown bool)

	mu       sync.Mutex
	reserved int
	shares   map[*Share]struct{}
}

func (b *budget) reserve(files int) (release func()) {
	b.change(func() { b.reserved += files })
	return sync.OnceFunc(func() { b.change(func() { b.reserved -= files }) })
}

func (b *budget) listen(least, want int, changed func(*Share)) *Share {
	s := &Share{budget: b, least: least, want: want, changed: changed}
	b.change(func() { b.shares[s] = struct{}{} })
	return s
}

// change tells the listeners after it has let go of the lock: they have locks too.
func (b *budget) change(apply func()) {
	for _, s := range b.divided(apply) {
		s.changed(s)
	}
}

// divided returns the shares that are not what they were.
func (b *budget) divided(apply func()) (others []*Share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	apply()
	left, wanted := b.room(), 0
	for s := range b.shares {
		left -= s.least
		wanted += s.want - s.least
	}
	for s := range b.shares {
		most := s.least
		switch more := s.want - s.least; {
		case left >= wanted:
			most += more
		case left > 0:
			most += left * more / wanted
		}
		if last := s.most.Swap(int64(most)); last != 0 && last != int64(most) {
			others = append(others, s)
		}
	}
	return others
}

// room is how many connections there may be in all. It must be called with mu held.
func (b *budget) room() int {
	limit, isKnown := b.limit()
	if !isKnown || limit > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit-limit/4) - b.reserved
}
