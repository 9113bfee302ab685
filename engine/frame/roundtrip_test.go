package frame

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, roundTrip)
}

func FuzzRoundTrip(f *testing.F) {
	for n := range uint64(4) {
		seed, r := make([]byte, 8192), rand.New(rand.NewPCG(n, 0))
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(rapid.MakeFuzz(roundTrip))
}

func roundTrip(t *rapid.T) {
	d := genDraft().Draw(t, "frame")
	for _, c := range []Compression{None, S2} {
		prefix := []byte("before")
		data, err := Append(slices.Clone(prefix), &d.frame, Options{Compression: c})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, prefix) {
			t.Fatalf("%v: Append changed what was before the frame", c)
		}
		data = data[len(prefix):]
		if again, err := Append(nil, &d.frame, Options{Compression: c}); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%v: the same frame gave other bytes (error %v)", c, err)
		}
		f, err := Decode(data)
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		checkFields(t, &d.frame, f)
		for i := range f.Sections {
			checkMessages(t, &f.Sections[i], d.messages[i])
		}
		plain, err := Append(nil, f, Options{})
		if want, _ := Append(nil, &d.frame, Options{}); err != nil || !bytes.Equal(plain, want) {
			t.Fatalf("%v: the decoded frame encodes differently (error %v)", c, err)
		}
		checkOutputs(t, data, f)
	}
}

// failer is the part of rapid.T and testing.T that checks need.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkFields compares everything but the messages; an empty list is as good as none.
func checkFields(t failer, want, got *Frame) {
	t.Helper()
	head := func(f *Frame) Frame {
		h := *f
		h.Inputs, h.Timers, h.Notes, h.State, h.Sections = nil, nil, nil, State{}, nil
		return h
	}
	if w, g := head(want), head(got); !reflect.DeepEqual(w, g) {
		t.Fatalf("frame = %+v, want %+v", g, w)
	}
	samePosition := func(a, b Position) bool {
		return a.Stream == b.Stream && a.Instance == b.Instance && a.Offset == b.Offset && a.Sequence == b.Sequence &&
			a.Watermark == b.Watermark && a.Reached == b.Reached && slices.Equal(a.Waiting, b.Waiting)
	}
	if !slices.EqualFunc(want.Inputs, got.Inputs, samePosition) || !slices.Equal(want.Timers, got.Timers) {
		t.Fatalf("inputs, timers = %v, %v; want %v, %v", got.Inputs, got.Timers, want.Inputs, want.Timers)
	}
	sameNote := func(a, b Note) bool {
		return a.Name == b.Name && a.Deleted == b.Deleted && bytes.Equal(a.Value, b.Value)
	}
	if !slices.EqualFunc(want.Notes, got.Notes, sameNote) {
		t.Fatalf("notes = %v, want %v", got.Notes, want.Notes)
	}
	sameChange := func(a, b Change) bool {
		return a.Key == b.Key && a.Deleted == b.Deleted && bytes.Equal(a.Value, b.Value) && a.Space == b.Space && slices.Equal(a.Due, b.Due)
	}
	if want.State.Kind != got.State.Kind || !bytes.Equal(want.State.Whole, got.State.Whole) ||
		!slices.EqualFunc(want.State.Changes, got.State.Changes, sameChange) {
		t.Fatalf("state = %+v, want %+v", got.State, want.State)
	}
	sameSection := func(a, b Section) bool {
		return a.Branch == b.Branch && a.Partition == b.Partition && a.Base == b.Base && a.Count == b.Count &&
			a.Next() == b.Next() && a.Mark() == b.Mark()
	}
	if !slices.EqualFunc(want.Sections, got.Sections, sameSection) {
		t.Fatalf("sections = %+v, want %+v", got.Sections, want.Sections)
	}
}

func checkMessages(t failer, s *Section, want []Message) {
	t.Helper()
	it := s.Messages()
	for i, w := range want {
		if it.Offset() != s.Base+uint64(i) {
			t.Fatalf("offset of message %d = %d, base %d", i, it.Offset(), s.Base)
		}
		m, ok := it.Next()
		if !ok || m.Time != w.Time || !bytes.Equal(m.Value, w.Value) || !bytes.Equal(m.Key, w.Key) || (m.Key == nil) != (w.Key == nil) {
			t.Fatalf("message %d = %+v, %v; want %+v", i, m, ok, w)
		}
	}
	if m, ok := it.Next(); ok {
		t.Fatalf("one message too many: %+v", m)
	}
	if it.Offset() != s.Next() {
		t.Fatalf("offset at the end = %d, want %d", it.Offset(), s.Next())
	}
}

func checkOutputs(t failer, data []byte, full *Frame) {
	t.Helper()
	f, err := DecodeOutputs(data)
	if err != nil {
		t.Fatalf("DecodeOutputs: %v", err)
	}
	without := *full
	without.State = State{}
	if !reflect.DeepEqual(f, &without) {
		t.Fatalf("DecodeOutputs = %+v, want %+v", f, &without)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, MaxSize)
	sections := func(n int) *Frame {
		f := &Frame{Sections: make([]Section, n)}
		for i := range f.Sections {
			f.Sections[i] = Section{Count: 1, block: zeros[:MaxSize/n+3]}
		}
		return f
	}
	for name, c := range map[string]struct {
		frame *Frame
		opts  Options
		want  error
	}{
		"large messages":       {sections(4), Options{}, ErrTooLarge},
		"large and compressed": {sections(4), Options{Compression: S2}, ErrTooLarge},
		"large state":          {&Frame{State: State{Kind: StateWhole, Whole: zeros[8:]}}, Options{}, ErrTooLarge},
		"large keyed state":    {&Frame{State: State{Kind: StateKeyed, Changes: []Change{{Key: "k", Value: zeros}}}}, Options{}, ErrTooLarge},
		"unknown state kind":   {&Frame{State: State{Kind: 3}}, Options{}, ErrCorrupt},
		"unknown compression":  {&Frame{}, Options{Compression: 2}, ErrCorrupt},
		"timers out of order":  {&Frame{State: State{Kind: StateKeyed, Changes: []Change{{Due: []Due{{"b", 1}, {"a", 2}}}}}}, Options{}, ErrCorrupt},
		"notes out of order":   {&Frame{Notes: Notes{{Name: "a"}, {Name: "a"}}}, Options{}, ErrCorrupt},
		"time not known":       {&Frame{Inputs: []Position{{Watermark: Watermark{Time: 1}}}}, Options{}, ErrCorrupt},
		"unknown kind":         {&Frame{Kind: kinds}, Options{}, ErrCorrupt},
		"seal without a claim": {&Frame{Kind: KindSeal}, Options{}, ErrCorrupt},
		"seal with a state":    {&Frame{Kind: KindSeal, Claim: Claim{Sequence: 1}, State: State{Kind: StateWhole}}, Options{}, ErrCorrupt},
		"claim with a section": {&Frame{Kind: KindClaim, Sections: []Section{{}}}, Options{}, ErrCorrupt},
		"claim with a claim":   {&Frame{Kind: KindClaim, Claim: Claim{Sequence: 1}}, Options{}, ErrCorrupt},
		"commit that has seen": {&Frame{Claim: Claim{Sequence: 1, Seen: 1}}, Options{}, ErrCorrupt},
		"large notes":          {&Frame{Notes: Notes{{Name: "n", Value: zeros}}}, Options{}, ErrTooLarge},
		"large timers":         {&Frame{State: State{Kind: StateKeyed, Changes: []Change{{Due: []Due{{Timer: string(zeros)}}}}}}, Options{}, ErrTooLarge},
		"offsets overflow":     {&Frame{Sections: []Section{{Base: 1<<64 - 1, Count: 1}}}, Options{}, ErrCorrupt},
		"count without rows":   {&Frame{Sections: []Section{{Count: 1}}}, Options{}, ErrCorrupt},
		"rows without a count": {&Frame{Sections: []Section{{block: []byte{0, 0, 0}}}}, Options{}, ErrCorrupt},
	} {
		data, err := Append([]byte("before"), c.frame, c.opts)
		if !errors.Is(err, c.want) || string(data) != "before" {
			t.Errorf("%s: %d bytes, error %v; want the bytes before and %v", name, len(data), err, c.want)
		}
	}
}

func TestLargestFrame(t *testing.T) {
	t.Parallel()
	f := &Frame{State: State{Kind: StateWhole}}
	overhead := len(encode(t, f, None)) + 3 // the length of the state takes four bytes instead of one
	f.State.Whole = make([]byte, MaxSize-overhead)
	data := encode(t, f, None)
	if len(data) != MaxSize {
		t.Fatalf("frame has %d bytes, want %d", len(data), MaxSize)
	}
	for _, c := range []Compression{None, S2} {
		if _, err := Decode(encode(t, f, c)); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	f.Cursor = "k"
	for _, c := range []Compression{None, S2} {
		if _, err := Append(data[:0], f, Options{Compression: c}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v: one byte more: error %v, want %v", c, err, ErrTooLarge)
		}
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	plain, small := encode(t, typical(256, 128), None), encode(t, typical(256, 128), S2)
	if len(small)*2 > len(plain) {
		t.Errorf("similar values: %d bytes of %d after compression", len(small), len(plain))
	}
	if !bytes.Equal(encode(t, noisy(256, 128), None), encode(t, noisy(256, 128), S2)) {
		t.Error("a frame that compression does not make smaller is not written plain")
	}
	if got := []string{None.String(), S2.String(), Compression(9).String()}; !slices.Equal(got, []string{"none", "s2", "compression 9"}) {
		t.Errorf("names = %q", got)
	}
}

func TestConsumed(t *testing.T) {
	t.Parallel()
	plain, gaps := Position{Offset: 7}, Position{Offset: 7, Waiting: []uint64{7, 9, 12}, Reached: 14}
	if plain.Count() != 7 || gaps.Count() != 11 {
		t.Errorf("%d and %d consumed, want 7 and 11", plain.Count(), gaps.Count())
	}
	if plain.End() != 7 || gaps.End() != 14 {
		t.Errorf("they end at %d and %d, want 7 and 14", plain.End(), gaps.End())
	}
	for offset := range uint64(20) {
		if got, want := plain.Consumed(offset), offset < 7; got != want {
			t.Errorf("without gaps %d: %v", offset, got)
		}
		if got, want := gaps.Consumed(offset), offset < 14 && !slices.Contains(gaps.Waiting, offset); got != want {
			t.Errorf("with gaps %d: %v", offset, got)
		}
	}
}
