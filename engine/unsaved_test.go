package engine_test

import (
	"context"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/supervise"
)

// sum is a state that JSON cannot hold once a NaN is in it.
type sum struct {
	Sum float64
	N   int
}

func (s *sum) add(v float64) error {
	s.Sum += v
	s.N++
	return nil
}

// ring is a state that may have a cycle.
type ring struct {
	N    int
	Next *ring
}

// bend makes the state a cycle when a NaN comes.
func bend(_ context.Context, s *ring, m engine.Message[float64]) error {
	s.N++
	if math.IsNaN(m.Value) {
		s.Next = &ring{}
		s.Next.Next = s.Next
	}
	return nil
}

// fragile is a state whose codec panics.
type fragile struct {
	N      int
	Broken bool
}

func (f fragile) MarshalText() ([]byte, error) {
	if f.Broken {
		panic("no text for this")
	}
	return []byte{byte(f.N >> 8), byte(f.N)}, nil
}

const (
	manyFloats = 1000
	badFloat   = 617
)

// fieldOf is which field of a state holds the NaN, by the name of the case.
var fieldOf = map[string]string{"one state": "field .Sum", "keyed": "field .Sum", "one key": "field .Sum", "in batches": "field .Sum", "pointers": "field [0]"}

// floats emits manyFloats numbers, of which one is NaN.
func floats(p engine.Scope) *engine.Stream[float64] {
	return engine.Source(p, "floats", func(_ context.Context, at *Place, emit engine.Emit[float64]) error {
		return count(manyFloats, 100)(context.Background(), at, func(n uint64, _ ...engine.EmitOption) {
			if n == badFloat {
				emit(math.NaN())
				return
			}
			emit(1)
		})
	})
}

// A state that cannot be encoded is traced to the message that made it so, which
// becomes a letter with the encoder's error. All others count.
func TestStateThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	asJSON := engine.StateCodec[sum, engine.None](engine.JSON[sum]())
	add := func(_ context.Context, s *sum, m engine.Message[float64]) error { return s.add(m.Value) }
	addBatch := func(_ context.Context, s *sum, batch []engine.Message[float64]) error {
		for _, m := range batch {
			_ = s.add(m.Value)
		}
		return nil
	}
	key := func(v float64) string {
		if math.IsNaN(v) {
			return "none"
		}
		return "some"
	}
	for name, wire := range map[string]func(p engine.Scope, in *engine.Stream[float64]){
		"one state": func(p engine.Scope, in *engine.Stream[float64]) { engine.Sink(p, "sink", in, add, asJSON) },
		"keyed": func(p engine.Scope, in *engine.Stream[float64]) {
			engine.Sink(p, "sink", engine.KeyBy(in, key), add, asJSON)
		},
		"one key": func(p engine.Scope, in *engine.Stream[float64]) {
			engine.Sink(p, "sink", engine.KeyBy(in, func(float64) string { return "all" }), add, asJSON)
		},
		"in batches": func(p engine.Scope, in *engine.Stream[float64]) { engine.SinkBatch(p, "sink", in, addBatch, asJSON) },
		"pointers": func(p engine.Scope, in *engine.Stream[float64]) {
			engine.Sink(p, "sink", in, func(_ context.Context, s *[]float64, m engine.Message[float64]) error {
				if len(*s) == 0 {
					*s = make([]float64, 2)
				}
				(*s)[0] += m.Value
				(*s)[1]++
				return nil
			}, engine.StateCodec[[]float64, engine.None](engine.JSON[[]float64]()))
		},
		"a cycle as JSON": func(p engine.Scope, in *engine.Stream[float64]) {
			engine.Sink(p, "sink", in, bend, engine.StateCodec[ring, engine.None](engine.JSON[ring]()))
		},
		"a cycle as CBOR":        func(p engine.Scope, in *engine.Stream[float64]) { engine.Sink(p, "sink", in, bend) },
		"a cycle as CBOR, keyed": func(p engine.Scope, in *engine.Stream[float64]) { engine.Sink(p, "sink", engine.KeyBy(in, key), bend) },
		"a cycle as CBOR, one key": func(p engine.Scope, in *engine.Stream[float64]) {
			engine.Sink(p, "sink", engine.KeyBy(in, func(float64) string { return "all" }), bend)
		},
		"a cycle in a map, keyed": func(p engine.Scope, in *engine.Stream[float64]) {
			engine.Sink(p, "sink", engine.KeyBy(in, key), func(_ context.Context, s *map[string]any, m engine.Message[float64]) error {
				if *s == nil {
					*s = map[string]any{}
				}
				if math.IsNaN(m.Value) {
					(*s)["itself"] = *s
				}
				return nil
			})
		},
		"a codec that panics": func(p engine.Scope, in *engine.Stream[float64]) {
			engine.Sink(p, "sink", in, func(_ context.Context, s *fragile, m engine.Message[float64]) error {
				s.N++
				s.Broken = s.Broken || math.IsNaN(m.Value)
				return nil
			}, engine.StateCodec[fragile, engine.None](brittle{}))
		},
	} {
		for way, options := range map[string][]engine.Option{
			"":                nil,
			", going on":      {engine.AttemptDelay(supervise.Immediate())},
			", one at a time": {engine.BatchSize(1)},
			", with one try":  {engine.Attempts(1)},
			", few keys":      {engine.KeysInMemory(1), engine.AttemptDelay(supervise.Exponential(time.Millisecond, time.Millisecond, 1, 0))},
		} {
			if testing.Short() && way != "" && way != ", few keys" {
				continue // much the same
			}
			t.Run(name+way, func(t *testing.T) {
				t.Parallel()
				p := engine.New("unsaved")
				wire(p.With(append([]engine.Option{fast}, options...)...), floats(p))
				dir := t.TempDir()
				s := stageStatus(t, run(t, p, dir), "sink")
				if s.In != manyFloats || s.DeadLetters != 1 {
					t.Errorf("%+v", s)
				}
				letters := lettersIn(t, dir, "unsaved")
				if len(letters) != 1 {
					t.Fatalf("%d letters", len(letters))
				}
				l := letters[0]
				if l.Offset != badFloat || !strings.Contains(l.Error, "encode the state") {
					t.Errorf("the letter of message %d: %s: %s", l.Offset, l.Reason, l.Error)
				}
				if field := fieldOf[name]; !strings.Contains(l.Error, field) {
					t.Errorf("%s is not named: %.300s", field, l.Error)
				}
				if strings.Contains(name, "cycle") && !strings.Contains(l.Error, "field .") && !strings.Contains(l.Error, `field ["itself"]`) {
					t.Errorf("no field is named: %.300s", l.Error)
				}
				if want := dlq.ReasonPanic; strings.HasPrefix(name, "a codec") && l.Reason != want {
					t.Errorf("reason %s, want %s", l.Reason, want)
				}
			})
		}
	}
}

// brittle is the codec of fragile.
type brittle struct{}

func (brittle) Name() string { return "brittle" }

func (brittle) Append(dst []byte, f fragile) ([]byte, error) {
	data, err := f.MarshalText()
	return append(dst, data...), err
}

func (brittle) Decode(data []byte) (f fragile, err error) {
	f.N = int(data[0])<<8 | int(data[1])
	return f, nil
}

// What the others added is there, once.
func TestOthersCountBesideAStateThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, way engine.Option) {
		p := engine.New("beside")
		engine.Sink(p.With(fast, way), "sink", floats(p),
			func(_ context.Context, s *sum, m engine.Message[float64]) error { return s.add(m.Value) },
			engine.StateCodec[sum, engine.None](engine.JSON[sum]()))
		dir := t.TempDir()
		run(t, p, dir)
		if s := committedState[sum](t, dir, "sink")[""]; s.N != manyFloats-1 || s.Sum != manyFloats-1 {
			t.Errorf("%+v", s)
		}
	})
}

// What is no message has attempts of its own, and then reaches the limit of its
// stage, with an error that names it. No message is blamed, and a run without
// the mistake goes on from there.
func TestStateThatCannotBeEncodedAfterACallThatIsNoMessage(t *testing.T) {
	t.Parallel()
	asJSON := func() engine.Part[sum, engine.None] { return engine.StateCodec[sum, engine.None](engine.JSON[sum]()) }
	add := func(_ context.Context, s *sum, m engine.Message[uint64]) error { return s.add(1) }
	for name, c := range map[string]struct {
		wire func(p engine.Scope, in *engine.Stream[uint64], bad float64)
		want string // in the error
		in   uint64 // messages taken
	}{
		"timer": {func(p engine.Scope, in *engine.Stream[uint64], bad float64) {
			engine.Stage(p, "sink", engine.On(in, func(ctx context.Context, s *sum, m engine.Message[uint64], _ engine.Emit[engine.None]) error {
				if m.Value == 9 {
					engine.SetTimer(ctx, "bad", m.Time)
				}
				return s.add(1)
			}), engine.OnTimer("bad", func(_ context.Context, s *sum, _ time.Time, _ engine.Emit[engine.None]) error {
				s.Sum += bad
				return nil
			}), asJSON())
		}, "timer 0: encode the state", 10},
		"end": {func(p engine.Scope, in *engine.Stream[uint64], bad float64) {
			engine.Sink(p, "sink", in, add, asJSON(), engine.Hooks[sum, engine.None]{
				End: func(_ context.Context, s *sum, _ engine.Emit[engine.None]) error { s.Sum += bad; return nil }})
		}, "end: encode the state", 20},
		"end of a key": {func(p engine.Scope, in *engine.Stream[uint64], bad float64) {
			engine.Sink(p, "sink", engine.KeyBy(in, func(n uint64) string { return string(rune('a' + n%5)) }), add, asJSON(), engine.Hooks[sum, engine.None]{
				End: func(ctx context.Context, s *sum, _ engine.Emit[engine.None]) error {
					if engine.CurrentKey(ctx) == "d" {
						s.Sum += bad
					}
					return nil
				}})
		}, `end of key d: encode the state of key "d"`, 20},
		"start": {func(p engine.Scope, in *engine.Stream[uint64], bad float64) {
			engine.Sink(p, "sink", in, add, asJSON(), engine.Hooks[sum, engine.None]{
				Start: func(_ context.Context, s *sum, _ engine.Emit[engine.None]) error { s.Sum += bad; return nil }})
		}, "start: encode the state", 0},
		"before commit": {func(p engine.Scope, in *engine.Stream[uint64], bad float64) {
			engine.Sink(p, "sink", in, add, asJSON(), engine.Hooks[sum, engine.None]{
				BeforeCommit: func(_ context.Context, s *sum) error { s.Sum += bad; return nil }})
		}, "commit: after BeforeCommit: encode the state", 0},
		"recovery": {func(p engine.Scope, in *engine.Stream[uint64], bad float64) {
			engine.Sink(p, "sink", in, func(_ context.Context, s *sum, m engine.Message[uint64]) error {
				if m.Value == 10 && bad != 0 {
					return errDown
				}
				return s.add(1)
			}, asJSON(), engine.Hooks[sum, engine.None]{Recover: func(_ context.Context, f engine.Fault[sum]) engine.Recovery[sum] {
				return f.RestartWith(sum{Sum: bad})
			}})
		}, "restart stage sink with another state: encode the state", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			wire := func(bad float64) *engine.Pipeline {
				p := engine.New("uncommitted")
				c.wire(p.With(fast), engine.Source(p, "numbers", count(20, 10)), bad)
				return p
			}
			p := wire(math.NaN())
			err := runFailing(t, p, dir)
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "NaN") {
				t.Errorf("error %v", err)
			}
			if s := stageStatus(t, p.Status(), "sink"); s.DeadLetters != 0 || s.In < c.in {
				t.Errorf("%+v", s)
			}
			status := run(t, wire(0), dir)
			if s := stageStatus(t, status, "sink"); s.DeadLetters != 0 || s.In != 20 {
				t.Errorf("%+v", s)
			}
			n := 0
			for _, s := range committedState[sum](t, dir, "sink") {
				n += s.N
			}
			if n != 20 {
				t.Errorf("%d messages took effect", n)
			}
		})
	}
}

// The state of a source is encoded for many calls at once: the one that made it
// so is named, and those before it are committed.
func TestStateOfASourceThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wire := func(bad float64) *engine.Pipeline {
		p := engine.New("source")
		numbers := engine.Source(p.With(fast), "numbers", func(_ context.Context, s *sum, emit engine.Emit[uint64]) error {
			if s.N == 20 {
				return io.EOF
			}
			emit(uint64(s.N))
			if s.N == 7 {
				s.Sum = bad
			}
			s.N++
			return nil
		}, engine.StateCodec[sum, uint64](engine.JSON[sum]()))
		engine.Sink(p, "sink", numbers, func(_ context.Context, n *int, _ engine.Message[uint64]) error { *n++; return nil })
		return p
	}
	p := wire(math.NaN())
	err := runFailing(t, p, dir)
	if !strings.Contains(err.Error(), "source call 7: encode the state") {
		t.Errorf("error %v", err)
	}
	if s := stageStatus(t, p.Status(), "numbers"); s.Out != 7 {
		t.Errorf("%+v", s)
	}
	run(t, wire(0), dir)
	if n := committedState[int](t, dir, "sink")[""]; n != 20 {
		t.Errorf("%d messages", n)
	}
}

// hanging is a state whose codec does not return once it is broken.
type hanging struct {
	fragile
	hang func()
}

func (h hanging) Name() string { return "hanging" }

func (h hanging) Append(dst []byte, f fragile) ([]byte, error) {
	if f.Broken {
		h.hang()
	}
	return append(dst, byte(f.N>>8), byte(f.N)), nil
}

func (h hanging) Decode(data []byte) (fragile, error) { return brittle{}.Decode(data) }

// A state whose encoding hangs is traced like one that is refused.
func TestStateWhoseEncodingHangs(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	p := engine.New("hanging")
	engine.Sink(p.With(fast, engine.Attempts(1), engine.Deadline(50*time.Millisecond), engine.StopTimeout(time.Millisecond)), "sink", floats(p),
		func(_ context.Context, s *fragile, m engine.Message[float64]) error {
			s.N++
			s.Broken = s.Broken || math.IsNaN(m.Value)
			return nil
		}, engine.StateCodec[fragile, engine.None](hanging{hang: func() { <-released }}))
	dir := t.TempDir()
	s := stageStatus(t, run(t, p, dir), "sink")
	letters := lettersIn(t, dir, "hanging")
	if s.In != manyFloats || len(letters) != 1 || letters[0].Offset != badFloat || letters[0].Reason != dlq.ReasonDeadline {
		t.Errorf("%+v %+v", s, letters)
	}
}
