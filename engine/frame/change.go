package frame

import "fmt"

// Change sets or deletes the state of one key, and says which timers the key has from then on.
type Change struct {
	Key     string
	Value   []byte // ignored and not written when Deleted
	Deleted bool
	Space   uint8 // the key space, of a stage that has several
	Due     []Due // all timers of the key, by name; none: it has none
}

// Due is when a timer of a key is due.
type Due struct {
	Timer string
	At    int64 // Unix nanoseconds, of the clock or of event time: that is the timer's
}

func (c *Change) isWritable() bool {
	for k := range c.Due {
		if k > 0 && c.Due[k-1].Timer >= c.Due[k].Timer {
			return false
		}
	}
	return true
}

// size is what key, value and timers take, without their lengths.
func (c *Change) size() int {
	n := len(c.Key)
	if !c.Deleted {
		n += len(c.Value)
	}
	for k := range c.Due {
		n += len(c.Due[k].Timer)
	}
	return n
}

const (
	changeSet     = 0
	changeDeleted = 1
)

func appendChanges(b []byte, changes []Change, used Features) []byte {
	b = appendUvarint(b, uint64(len(changes)))
	last := int64(0)
	for i := range changes {
		c := &changes[i]
		b = appendBytes(b, c.Key)
		if used&FeatureSpaces != 0 {
			b = append(b, c.Space)
		}
		if used&FeatureDue != 0 {
			b = appendUvarint(b, uint64(len(c.Due)))
			for _, due := range c.Due {
				b = appendBytes(b, due.Timer)
				b = appendUvarint(b, zigzag(due.At-last))
				last = due.At
			}
		}
		if c.Deleted {
			b = append(b, changeDeleted)
			continue
		}
		b = append(b, changeSet)
		b = appendBytes(b, c.Value)
	}
	return b
}

func (r *reader) changes(mode stateMode) []Change {
	n := r.count(2)
	var list []Change
	if mode == buildState && n > 0 {
		list = make([]Change, n)
	}
	r.where = "state change"
	last := int64(0)
	for i := range n {
		r.index = i
		key := r.bytes()
		var space uint8
		if r.has(FeatureSpaces) {
			if space = r.byte(); space != 0 {
				r.found |= FeatureSpaces
			}
		}
		var due []Due
		if r.has(FeatureDue) {
			due, last = r.due(last)
		}
		value, isDeleted := r.setOrDeleted()
		if r.err != nil {
			return nil
		}
		if list != nil {
			list[i] = Change{Key: string(key), Value: value, Deleted: isDeleted, Space: space, Due: due}
		}
	}
	return list
}

// due reads the timers of a key; last is the time of the one before.
func (r *reader) due(last int64) ([]Due, int64) {
	n := r.count(2)
	if n == 0 {
		return nil, last
	}
	r.found |= FeatureDue
	list := make([]Due, n)
	for k := range list {
		list[k].Timer = string(r.bytes())
		last += unzigzag(r.number())
		list[k].At = last
	}
	if c := (Change{Due: list}); r.err == nil && !c.isWritable() {
		r.fail(ErrCorrupt, fmt.Sprintf("timers out of order: %v", list))
	}
	return list, last
}

// setOrDeleted reads the value of a record, which may be deleted instead.
func (r *reader) setOrDeleted() (value []byte, isDeleted bool) {
	switch op := r.byte(); op {
	case changeSet:
		return r.bytes(), false
	case changeDeleted:
		return nil, true
	default:
		r.fail(ErrCorrupt, fmt.Sprintf("unknown operation %d", op))
		return nil, false
	}
}
