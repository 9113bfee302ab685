package journal

// together is how many changes a setter sets at once: some more than a core can wait for.
const together = 32

// setter sets many changes one after the other. In tables larger than the processor's
// caches a change waits for memory three times: for its slot, its entry and its key. A
// setter looks at these for all of its changes first, so that they come side by side. What
// it is given must hold until flush.
type setter struct {
	to      *Changes
	changes []upcoming
	touched byte // keeps what is only looked at from being left out
}

type upcoming struct {
	key, value []byte
	hash       uint32
	length     uint32 // of the value, isDeleted or isElsewhere
	entry      uint32 // number plus 1 of the one that is probably its own; 0: none
}

func (s *setter) set(hash uint32, key, value []byte, length uint32) {
	if s.changes == nil {
		s.changes = make([]upcoming, 0, together)
	}
	s.changes = append(s.changes, upcoming{key: key, value: value, hash: hash, length: length})
	if len(s.changes) == together {
		s.flush()
	}
}

func (s *setter) flush() {
	s.look()
	for k := range s.changes {
		c := &s.changes[k]
		set(s.to, c.hash, c.key, c.value, c.length)
	}
	s.changes = s.changes[:0]
}

func (s *setter) look() {
	to := s.to
	if len(to.slots) == 0 {
		return
	}
	mask := uint32(len(to.slots) - 1)
	for k := range s.changes {
		s.touched += byte(to.slots[s.changes[k].hash&mask])
	}
	for k := range s.changes {
		c := &s.changes[k]
		at := c.hash & mask
		for to.slots[at] != 0 && uint32(to.slots[at]>>32) != c.hash {
			at = (at + 1) & mask
		}
		if c.entry = uint32(to.slots[at]); c.entry != 0 {
			s.touched += byte(to.entries[c.entry-1].at)
		}
	}
	for k := range s.changes {
		if n := s.changes[k].entry; n != 0 {
			if key := to.key(int(n - 1)); len(key) > 0 {
				s.touched += key[0]
			}
		}
	}
}
