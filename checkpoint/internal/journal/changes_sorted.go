package journal

import (
	"cmp"
	"slices"
	"strings"
)

// From gives copies of the changes of the keys from the given one on, in order. It may
// not run at the same time as itself.
func (c *Changes) From(from string) []Change {
	c.sort()
	first, _ := slices.BinarySearchFunc(c.order, from, func(n uint32, key string) int {
		return cmp.Compare(string(c.key(int(n))), key)
	})
	rest := c.order[first:]
	size := 0
	for _, n := range rest {
		size += len(c.key(int(n))) + len(c.value(int(n)))
	}
	var keys strings.Builder // one copy for all
	keys.Grow(size)
	values := make([]byte, 0, size)
	list := make([]Change, 0, len(rest))
	for _, number := range rest {
		n := int(number)
		if c.entries[n].value == isElsewhere {
			continue
		}
		at, start := keys.Len(), len(values)
		keys.Write(c.key(n))
		change := Change{Key: keys.String()[at:]}
		if value := c.value(n); value != nil {
			values = append(values, value...)
			change.Value = values[start:len(values):len(values)]
		}
		list = append(list, change)
	}
	return list
}

// EachSorted calls fn with every key and its state, in the order of the keys, which Sort has brought up to date.
func (c *Changes) EachSorted(fn func(key, value []byte) error) error {
	for _, number := range c.order {
		n := int(number)
		if c.entries[n].value == isElsewhere {
			continue
		}
		if err := fn(c.key(n), c.value(n)); err != nil {
			return err
		}
	}
	return nil
}

// sort brings the order up to date. Entries are never removed, so only those that came
// since the last time are sorted, and merged into the others.
func (c *Changes) sort() {
	old := len(c.order)
	if old == len(c.entries) {
		return
	}
	fresh := c.sortFrom(old)
	if old == 0 {
		c.order = fresh
		return
	}
	merged := make([]uint32, 0, len(c.entries))
	for _, n := range c.order {
		for len(fresh) > 0 && string(c.key(int(fresh[0]))) < string(c.key(int(n))) {
			merged, fresh = append(merged, fresh[0]), fresh[1:]
		}
		merged = append(merged, n)
	}
	c.order = append(merged, fresh...)
}

// sortFrom sorts the entries from the given one on. What all keys begin with is left
// out, so that the next eight bytes, which are compared as one number, mostly decide.
func (c *Changes) sortFrom(first int) []uint32 {
	type item struct {
		prefix uint64
		n      uint32
	}
	shared := c.key(first)
	for n := first + 1; n < len(c.entries); n++ {
		key := c.key(n)
		k := 0
		for k < min(len(shared), len(key)) && shared[k] == key[k] {
			k++
		}
		shared = shared[:k]
	}
	items := make([]item, 0, len(c.entries)-first)
	for n := first; n < len(c.entries); n++ {
		items = append(items, item{prefix(c.key(n)[len(shared):]), uint32(n)})
	}
	slices.SortFunc(items, func(a, b item) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return cmp.Compare(string(c.key(int(a.n))), string(c.key(int(b.n))))
	})
	order := make([]uint32, len(items))
	for k := range items {
		order[k] = items[k].n
	}
	return order
}

// prefix is the first eight bytes as a number that sorts like them.
func prefix(b []byte) (p uint64) {
	for k := range 8 {
		p <<= 8
		if k < len(b) {
			p |= uint64(b[k])
		}
	}
	return p
}
