package frame

import (
	"slices"
	"strings"
)

// Note sets or deletes one of the small records that go with an instance from owner to owner, such as the attempts of a
// message. In a claim it tells people where the owner is.
type Note struct {
	Name    string
	Value   []byte // ignored and not written when Deleted
	Deleted bool
}

// Notes change the notes of an instance. Their names ascend.
type Notes []Note

// Apply returns the notes that there are after newer ones, without those that were deleted. It shares their values.
func (n Notes) Apply(newer Notes) Notes {
	if len(newer) == 0 {
		return n
	}
	var all Notes
	for len(n) > 0 || len(newer) > 0 {
		order := -1
		switch {
		case len(n) == 0:
			order = 1
		case len(newer) > 0:
			order = strings.Compare(n[0].Name, newer[0].Name)
		}
		next := n
		if order >= 0 {
			next = newer
		}
		if !next[0].Deleted {
			all = append(all, next[0])
		}
		if order <= 0 {
			n = n[1:]
		}
		if order >= 0 {
			newer = newer[1:]
		}
	}
	return all
}

// Get returns the value of a note.
func (n Notes) Get(name string) (value []byte, found bool) {
	k, found := slices.BinarySearchFunc(n, name, func(note Note, name string) int { return strings.Compare(note.Name, name) })
	if !found || n[k].Deleted {
		return nil, false
	}
	return n[k].Value, true
}

func (n Notes) isWritable() bool {
	for k := range n {
		if k > 0 && n[k-1].Name >= n[k].Name {
			return false
		}
	}
	return true
}

func (n Notes) size() (size int) {
	for k := range n {
		size += len(n[k].Name) + len(n[k].Value)
	}
	return size
}

func (n Notes) append(b []byte) []byte {
	b = appendUvarint(b, uint64(len(n)))
	for k := range n {
		b = appendBytes(b, n[k].Name)
		if n[k].Deleted {
			b = append(b, changeDeleted)
			continue
		}
		b = append(b, changeSet)
		b = appendBytes(b, n[k].Value)
	}
	return b
}

func (r *reader) notes() Notes {
	r.part("notes")
	n := r.count(2)
	if n == 0 {
		return nil
	}
	r.found |= FeatureNotes
	list := make(Notes, n)
	r.where = "note"
	for k := range list {
		r.index = k
		list[k].Name = string(r.bytes())
		list[k].Value, list[k].Deleted = r.setOrDeleted()
		if r.err != nil {
			return nil
		}
	}
	if !list.isWritable() {
		r.fail(ErrCorrupt, "names of notes that do not ascend")
		return nil
	}
	return list
}
