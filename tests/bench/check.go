package main

import (
	"fmt"
	"sync"
)

// inOrder accepts each of the numbers 0, 1, 2 … once, in their order.
type inOrder struct{ next uint64 }

func (c *inOrder) take(i uint64) error {
	if i != c.next {
		return fmt.Errorf("%w: %d instead of %d", errDamaged, i, c.next)
	}
	c.next++
	return nil
}

// once accepts each number below a bound once, in any order. It is safe for
// concurrent use.
type once struct {
	mu   sync.Mutex
	seen []bool
}

func newOnce(n uint64) *once { return &once{seen: make([]bool, n)} }

func (c *once) take(i uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i >= uint64(len(c.seen)) || c.seen[i] {
		return fmt.Errorf("%w: %d", errDamaged, i)
	}
	c.seen[i] = true
	return nil
}

// checker is what every run checks its messages with. That none is missing is
// known by their count.
func checker(ordered bool, n uint64) func(uint64) error {
	if ordered {
		return (&inOrder{}).take
	}
	return newOnce(n).take
}
