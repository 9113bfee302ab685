package frame

import (
	"fmt"
	"slices"
	"strings"
)

// Tally counts the messages that an instance gave up, since its first commit. It is in every frame, so the counts are
// as exact as the commits. Its zero value is ready. Not safe for concurrent change.
type Tally struct {
	Dropped uint64        // without a dead letter
	Letters []LetterCount // dead letters, in the order of their reasons
}

// LetterCount is how many dead letters had one reason. It is never 0 in a Tally.
type LetterCount struct {
	Reason string
	Count  uint64
}

// IsZero says that nothing was given up.
func (t Tally) IsZero() bool { return t.Dropped == 0 && len(t.Letters) == 0 }

// Total is how many dead letters there were.
func (t Tally) Total() (n uint64) {
	for _, l := range t.Letters {
		n += l.Count
	}
	return n
}

// AddLetters counts n more dead letters of one reason.
func (t *Tally) AddLetters(reason string, n uint64) {
	if n == 0 {
		return
	}
	k, found := slices.BinarySearchFunc(t.Letters, reason, func(l LetterCount, r string) int { return strings.Compare(l.Reason, r) })
	if !found {
		t.Letters = slices.Insert(t.Letters, k, LetterCount{Reason: reason})
	}
	t.Letters[k].Count += n
}

// Plus is the sum of two tallies. It shares no memory with t unless other is zero.
func (t Tally) Plus(other Tally) Tally {
	if other.IsZero() {
		return t
	}
	sum := Tally{Dropped: t.Dropped + other.Dropped, Letters: slices.Clone(t.Letters)}
	for _, l := range other.Letters {
		sum.AddLetters(l.Reason, l.Count)
	}
	return sum
}

// isWritable says that a reader accepts it.
func (t *Tally) isWritable() bool {
	for k, l := range t.Letters {
		if l.Count == 0 || k > 0 && t.Letters[k-1].Reason >= l.Reason {
			return false
		}
	}
	return true
}

func (t *Tally) append(b []byte) []byte {
	b = appendUvarint(b, t.Dropped)
	b = appendUvarint(b, uint64(len(t.Letters)))
	for _, l := range t.Letters {
		b = appendBytes(b, l.Reason)
		b = appendUvarint(b, l.Count)
	}
	return b
}

func (t *Tally) sizeHint() int {
	n := 0
	for _, l := range t.Letters {
		n += 12 + len(l.Reason)
	}
	return n
}

func (r *reader) tally() (t Tally) {
	r.part("tally")
	t.Dropped = r.number()
	if n := r.count(2); n > 0 {
		t.Letters = make([]LetterCount, n)
	}
	for k := range t.Letters {
		t.Letters[k] = LetterCount{Reason: string(r.bytes()), Count: r.number()}
		if r.err != nil {
			return Tally{}
		}
	}
	switch {
	case r.err != nil:
	case t.IsZero():
		r.fail(ErrCorrupt, "counts are announced, and there are none")
	case !t.isWritable():
		r.fail(ErrCorrupt, fmt.Sprintf("counts that are 0 or out of order: %v", t.Letters))
	}
	return t
}
