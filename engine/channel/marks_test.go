package channel

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestMarks(t *testing.T) {
	t.Parallel()
	var m marks
	for i := uint64(1); i <= 10; i++ {
		m.add(mark{sequence: i, reply: strconv.FormatUint(i, 10), swallow: i != 3 && i != 6})
	}
	for _, step := range []struct {
		sequence uint64
		reply    string
	}{{0, "2"}, {0, ""}, {3, "5"}, {5, ""}, {6, "10"}, {99, ""}} {
		if got := m.upTo(step.sequence); got != step.reply {
			t.Errorf("up to %d: %q, want %q", step.sequence, got, step.reply)
		}
	}
}

func TestMarksStayBounded(t *testing.T) {
	t.Parallel()
	var m marks
	for i := range uint64(5 * maxMarks) {
		m.add(mark{sequence: i + 1, reply: "x"})
	}
	if len(m.list) > maxMarks {
		t.Errorf("%d marks", len(m.list))
	}
}

// No message is acknowledged before all that were told of and come before it are taken, and none is forgotten.
func TestMarksProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var m marks
		told := map[uint64]bool{}
		n := rapid.Uint64Range(1, 40).Draw(t, "n")
		taken := uint64(0)
		acked := uint64(0)
		for i := uint64(1); i <= n; i++ {
			told[i] = rapid.Bool().Draw(t, "told")
			m.add(mark{sequence: i, reply: strconv.FormatUint(i, 10), swallow: !told[i]})
			if rapid.Bool().Draw(t, "take") {
				taken = rapid.Uint64Range(taken, i).Draw(t, "taken")
			}
			if reply := m.upTo(taken); reply != "" {
				acked, _ = strconv.ParseUint(reply, 10, 64)
			}
			want := taken
			for want < i && !told[want+1] {
				want++
			}
			if acked != want {
				t.Fatalf("acknowledged %d, want %d (taken %d of %d)", acked, want, taken, i)
			}
		}
	})
}
