package openfiles

import (
	"slices"
	"testing"
)

func ofLimit(limit uint64, isKnown bool) *budget {
	return &budget{limit: func() (uint64, bool) { return limit, isKnown }, shares: map[*Share]struct{}{}}
}

// All listeners of a process together have what its runs and a quarter for others leave, and each of them
// has its least.
func TestListenersShareWhatTheLimitLeaves(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit             uint64
		isKnown           bool
		reserved          int
		dashboard, socket int
	}{
		{0, false, 96, 1000, 32},
		{1 << 40, true, 96, 1000, 32},
		{4096, true, 96, 1000, 32},
		{1024, true, 96, 648, 23}, // of 672
		{1024, true, 760, 8, 8},
		{100, true, 0, 65, 9}, // of 75
		{100, true, 96, 8, 8},
	} {
		b := ofLimit(test.limit, test.isKnown)
		ignored := func(*Share) {}
		dashboard, socket := b.listen(8, 1000, ignored), b.listen(8, 32, ignored)
		release := b.reserve(test.reserved)
		if d, s := dashboard.Most(), socket.Most(); d != test.dashboard || s != test.socket {
			t.Errorf("of %d with %d reserved: %d and %d, want %d and %d", test.limit, test.reserved, d, s, test.dashboard, test.socket)
		}
		release()
		release() // the second time does nothing
		if b.reserved != 0 {
			t.Errorf("%d are reserved after the end", b.reserved)
		}
	}
}

// A listener learns that it has another share, and only then.
func TestAListenerIsToldOfItsShare(t *testing.T) {
	t.Parallel()
	b := ofLimit(400, true)
	var told []int
	first := b.listen(8, 250, func(s *Share) { told = append(told, s.Most()) })
	second := b.listen(8, 50, func(*Share) {}) // 300 are enough for both
	release := b.reserve(100)
	second.Close()
	release()
	if want := []int{164, 200, 250}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	first.Close()
}
