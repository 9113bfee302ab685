package frame

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// A section that messages were taken back from is the same as one that never had them.
func TestTruncateTakesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Section
		base := rapid.Uint64Range(0, 1<<40).Draw(t, "base")
		s.Reset(base)
		var kept []Message
		var marks []Mark
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				m := genMessage(rapid.Bool().Draw(t, "keyed")).Draw(t, "message")
				marks = append(marks, s.Mark())
				s.Append(m)
				kept = append(kept, m)
			},
			"truncate": func(t *rapid.T) {
				if len(marks) == 0 {
					t.Skip("nothing to take back")
				}
				n := rapid.IntRange(0, len(marks)-1).Draw(t, "to")
				s.Truncate(marks[n])
				kept, marks = kept[:n], marks[:n]
			},
			"reset": func(t *rapid.T) {
				base += uint64(len(kept))
				s.Reset(base)
				kept, marks = nil, nil
			},
			"": func(t *rapid.T) {
				fresh := Section{Base: base}
				for _, m := range kept {
					fresh.Append(m)
				}
				if s.Mark() != fresh.Mark() || s.Len() != fresh.Len() || s.Next() != base+uint64(len(kept)) {
					t.Fatalf("section = %+v, %d; fresh %+v", s.Mark(), s.Next(), fresh.Mark())
				}
				checkMessages(t, &s, kept)
			},
		})
	})
}

func TestTruncateToForeignMarkPanics(t *testing.T) {
	t.Parallel()
	var s Section
	s.Append(Message{Value: []byte("value")})
	m := s.Mark()
	s.Reset(0)
	defer func() {
		if recover() == nil {
			t.Error("a mark beyond the end was accepted")
		}
	}()
	s.Truncate(m)
}

func TestSkip(t *testing.T) {
	t.Parallel()
	s := Section{Base: 100}
	for i := range 10 {
		s.Append(Message{Time: int64(i), Value: strconv.AppendInt(nil, int64(i), 10)})
	}
	for n, want := range map[uint64]uint64{0: 100, 1: 101, 9: 109, 10: 110, 11: 110, 1 << 63: 110} {
		it := s.Messages()
		it.Skip(n)
		if it.Offset() != want {
			t.Errorf("offset after skipping %d = %d, want %d", n, it.Offset(), want)
		}
		m, ok := it.Next()
		if ok != (want < 110) || ok && (m.Time != int64(want-100) || string(m.Value) != strconv.Itoa(int(want-100))) {
			t.Errorf("after skipping %d: %+v, %v", n, m, ok)
		}
	}
}

func TestMessagesCannotGrowIntoEachOther(t *testing.T) {
	t.Parallel()
	f, err := Decode(encode(t, typical(2, 16), None))
	if err != nil {
		t.Fatal(err)
	}
	s := &f.Sections[0]
	it := s.Messages()
	first, _ := it.Next()
	_ = append(first.Value, "overwritten"...)
	s.Append(Message{Value: []byte("appended to a decoded section")})
	it = s.Messages()
	it.Skip(1)
	if second, _ := it.Next(); !slices.Equal(second.Value[:8], []byte("record 0")) {
		t.Errorf("second message = %q", second.Value)
	}
}

func TestGatheringAndReadingDoNotAllocate(t *testing.T) {
	var s Section
	m := Message{Key: []byte("key"), Time: 1_700_000_000_000_000_000, Value: make([]byte, 128)}
	fill := func() {
		s.Reset(0)
		for range 100 {
			s.Append(m)
		}
	}
	fill()
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("gathering into a used section: %v allocations", n)
	}
	f := Frame{Sections: []Section{s}}
	buf := encode(t, &f, None)
	if n := testing.AllocsPerRun(10, func() { buf, _ = Append(buf[:0], &f, Options{}) }); n != 0 {
		t.Errorf("encoding into a used buffer: %v allocations", n)
	}
	sum := 0
	if n := testing.AllocsPerRun(10, func() {
		for it := s.Messages(); ; {
			m, ok := it.Next()
			if !ok {
				break
			}
			sum += len(m.Value)
		}
	}); n != 0 {
		t.Errorf("reading: %v allocations", n)
	}
}
