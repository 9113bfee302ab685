package engine_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"penstock/engine"
)

type (
	label string
	level int8
	ratio float32
	blob  []byte
	flag  bool
	stamp struct{ At time.Time }
)

func checkCodec[T any](t *testing.T, name string, values ...T) {
	t.Helper()
	codec := engine.DefaultCodec[T]()
	if codec.Name() != name {
		t.Errorf("%T: codec %s, want %s", values[0], codec.Name(), name)
	}
	for _, want := range values {
		data, err := codec.Append([]byte("before"), want)
		if err != nil || string(data[:6]) != "before" {
			t.Errorf("%v: %q, %v", want, data, err)
			continue
		}
		if got, err := codec.Decode(data[6:]); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v comes back as %v, %v", want, got, err)
		}
	}
}

func TestDefaultCodecs(t *testing.T) {
	t.Parallel()
	checkCodec(t, "string", "", "a\x00\xff")
	checkCodec(t, "string", label("x"), label(""))
	checkCodec(t, "bytes", []byte{}, []byte{0, 255})
	checkCodec(t, "bytes", blob{1}, blob{})
	checkCodec(t, "uint64", uint64(0), uint64(math.MaxUint64))
	checkCodec(t, "uint64", uint16(7), uint16(math.MaxUint16))
	checkCodec(t, "int64", int64(math.MinInt64), int64(-1))
	checkCodec(t, "int64", math.MinInt, -1)
	checkCodec(t, "int64", level(-128), level(127))
	checkCodec(t, "float64", math.Inf(-1), 0.1)
	checkCodec(t, "float64", ratio(1.5))
	checkCodec(t, "bool", true, false)
	checkCodec(t, "bool", flag(true))
	checkCodec(t, "cbor", time.Date(2026, 11, 21, 0, 0, 0, 5, time.UTC))
	checkCodec(t, "cbor", stamp{time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)})
	checkCodec(t, "cbor", map[string]int{"a": 1})
	for _, bad := range [][]byte{nil, {1}, make([]byte, 9)} {
		if _, err := engine.DefaultCodec[uint64]().Decode(bad); err == nil {
			t.Errorf("%d bytes are taken for a uint64", len(bad))
		}
	}
	if _, err := engine.DefaultCodec[level]().Decode([]byte{0, 1, 0, 0, 0, 0, 0, 0}); err == nil {
		t.Error("256 fits into 8 bits")
	}
}

// brokenCodec panics at one value.
type brokenCodec struct{ engine.Codec[int] }

func (b brokenCodec) Append(dst []byte, v int) ([]byte, error) {
	if v == 7 {
		panic("codec")
	}
	return b.Codec.Append(dst, v)
}

func TestPanickingCodecIsContained(t *testing.T) {
	t.Parallel()
	p := engine.New("codec")
	numbers := engine.Source(p, "numbers", count(20, 1))
	out := engine.Stage(p.With(fast), "worker", engine.On(numbers,
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[int]) error {
			emit(int(m.Value))
			return nil
		})).WithCodec(brokenCodec{engine.DefaultCodec[int]()})
	got := collect[int](t)
	engine.Sink(p, "sink", out, got.sink)
	status := run(t, p, t.TempDir())
	if s := stageStatus(t, status, "worker"); s.DeadLetters != 1 || s.Panics != 3 || len(got.all()) != 19 {
		t.Errorf("%d values, %+v", len(got.all()), s)
	}
}

func TestPanickingStateCodecIsContained(t *testing.T) {
	t.Parallel()
	p := engine.New("statecodec")
	panics := 0
	numbers := engine.Source(p.With(fast), "numbers", count(20, 1),
		engine.StateCodec[Place, uint64](&moody[Place]{engine.DefaultCodec[Place](), &panics}))
	engine.Sink(p.With(fast), "sink", numbers, func(_ context.Context, n *int, _ engine.Message[uint64]) error { *n++; return nil },
		engine.StateCodec[int, engine.None](&moody[int]{engine.DefaultCodec[int](), new(int)}))
	dir := t.TempDir()
	status := run(t, p, dir)
	if s := stageStatus(t, status, "sink"); s.In != 20 || s.Panics == 0 || s.DeadLetters != 0 {
		t.Errorf("sink: %+v", s)
	}
	if s := stageStatus(t, status, "numbers"); s.Out != 20 || s.Panics == 0 {
		t.Errorf("numbers: %+v", s)
	}
}

// moody panics at its second use.
type moody[S any] struct {
	engine.Codec[S]
	uses *int
}

func (m *moody[S]) Append(dst []byte, v S) ([]byte, error) {
	if *m.uses++; *m.uses == 2 {
		panic(fmt.Sprint("use ", *m.uses))
	}
	return m.Codec.Append(dst, v)
}
