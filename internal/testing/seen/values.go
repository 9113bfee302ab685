package seen

import (
	"slices"
	"sync"
	"testing"
)

// Values are what a sink got, by offset. A message that comes again after a restart must be the same, and none may be
// missing before it. Safe for concurrent use.
type Values[T comparable] struct {
	t    testing.TB
	mu   sync.Mutex
	list []T
}

// New returns none yet. Errors are reported to t.
func New[T comparable](t testing.TB) *Values[T] { return &Values[T]{t: t} }

// Add notes the value at an offset.
func (v *Values[T]) Add(offset uint64, value T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch n := uint64(len(v.list)); {
	case offset < n:
		if v.list[offset] != value {
			v.t.Errorf("offset %d was %v and comes again as %v", offset, v.list[offset], value)
		}
	case offset == n:
		v.list = append(v.list, value)
	default:
		v.t.Errorf("offset %d comes after %d values", offset, n)
	}
}

// All returns the values so far.
func (v *Values[T]) All() []T {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.list)
}
