package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
)

// parcel is a value with much that JSON would change.
type parcel struct {
	ID    string             `json:"id"`
	Count map[string]int     `json:"count,omitempty"`
	More  map[string]any     `json:"more,omitempty"`
	Mean  float64            `json:"mean,omitempty"`
	Rates map[string]float64 `json:"rates,omitempty"`
	Raw   []byte             `json:"raw,omitempty"`
	At    time.Time          `json:"at,omitzero"`
	Next  *parcel            `json:"next,omitempty"`
}

// Texts that are not UTF-8, and numbers beyond 2^53, are the same after a channel and after a restart.
func TestNothingIsChangedByAChannelOrARestart(t *testing.T) {
	t.Parallel()
	ids := []string{"caf\xe9", "caf\xe8", "caf\xe9"}
	wire := func(until int, seen *[]parcel, last *map[string]any) *engine.Pipeline {
		p := engine.New("lossless")
		parcels := engine.Source(p.With(fast), "parcels", func(ctx context.Context, at *parcelPlace, emit engine.Emit[parcel]) error {
			if at.Next == len(ids) {
				<-ctx.Done()
				return ctx.Err()
			}
			emit(parcel{ID: ids[at.Next], More: map[string]any{"n": 9007199254740993, "u": uint64(math.MaxUint64)}, Mean: math.NaN()})
			at.Next++
			return nil
		})
		engine.Sink(p.With(fast), "count", parcels, func(_ context.Context, s *parcel, m engine.Message[parcel]) error {
			if m.Offset == uint64(until) {
				if m.Attempt == 1 {
					return errReleased
				}
				return engine.Fatal(errReleased)
			}
			*seen = append(*seen, m.Value)
			if s.Count == nil {
				s.Count, s.More = map[string]int{}, map[string]any{"n": int64(9007199254740993)}
			}
			s.Count[m.Value.ID]++
			*last = map[string]any{"count": s.Count, "n": s.More["n"]}
			return nil
		})
		return p
	}
	dir := t.TempDir()
	var seen []parcel
	var last map[string]any
	for until := 1; until < len(ids); until++ {
		if err := runFailing(t, wire(until, &seen, &last), dir); !errors.Is(err, errReleased) {
			t.Fatal(err)
		}
	}
	ids = append(ids, "last")
	if err := runFailing(t, wire(len(ids)-1, &seen, &last), dir); !errors.Is(err, errReleased) {
		t.Fatal(err)
	}
	if want := map[string]any{"count": map[string]int{"caf\xe9": 2, "caf\xe8": 1}, "n": int64(9007199254740993)}; !reflect.DeepEqual(last, want) {
		t.Errorf("the state is %#v, want %#v", last, want)
	}
	for _, p := range seen {
		if p.More["n"] != int64(9007199254740993) || p.More["u"] != uint64(math.MaxUint64) || !math.IsNaN(p.Mean) {
			t.Errorf("%#v", p)
		}
	}
}

type parcelPlace struct{ Next int }

func TestEncodeErrorsNameTheField(t *testing.T) {
	t.Parallel()
	deep := parcel{Next: &parcel{More: map[string]any{"a": []any{struct{}{}}}}}
	loop := &parcel{}
	loop.Next = loop
	bad := parcel{ID: "caf\xe9"}
	for _, c := range []struct {
		codec engine.Codec[parcel]
		value parcel
		want  engine.EncodeError
	}{
		{engine.DefaultCodec[parcel](), deep, engine.EncodeError{Codec: "cbor", Field: `.Next.More["a"][0]`, Type: "struct {}"}},
		{engine.DefaultCodec[parcel](), *loop, engine.EncodeError{Codec: "cbor", Field: ".Next.Next.Next", Type: "*engine_test.parcel"}},
		{engine.JSON[parcel](), *loop, engine.EncodeError{Codec: "json", Field: ".Next.Next.Next", Type: "*engine_test.parcel"}},
		{engine.JSON[parcel](), bad, engine.EncodeError{Codec: "json", Field: ".ID", Type: "string"}},
		{engine.JSON[parcel](), parcel{Rates: map[string]float64{"x": math.NaN()}}, engine.EncodeError{Codec: "json", Field: `.Rates["x"]`, Type: "float64"}},
	} {
		before := []byte("before")
		data, err := c.codec.Append(before, c.value)
		var got *engine.EncodeError
		if !errors.As(err, &got) || got.Codec != c.want.Codec || !strings.HasPrefix(got.Field, c.want.Field) || got.Err == nil || string(data) != "before" {
			t.Errorf("%v; want %+v", err, c.want)
			continue
		}
		if got.Type != c.want.Type && len(got.Field) < 100 {
			t.Errorf("type %s, want %s", got.Type, c.want.Type)
		}
	}
	var unsupported *engine.EncodeError
	if _, err := engine.DefaultCodec[struct{ hidden int }]().Append(nil, struct{ hidden int }{}); !errors.As(err, &unsupported) {
		t.Error(err)
	}
}

// What the default codec of older versions wrote, to the byte.
func TestJSONOfOlderVersionsIsRead(t *testing.T) {
	t.Parallel()
	codec := engine.DefaultCodec[parcel]()
	for data, want := range map[string]parcel{
		`{"id":""}`: {},
		`{"id":"a\u003cb","count":{"x":1,"y":2},"more":{"big":9007199254740993,"f":1.5,"n":7,"t":null},"mean":2.5,"raw":"/wA=","at":"2026-11-28T19:00:00.000000005+01:00","next":{"id":"n"}}`: {
			ID: "a<b", Count: map[string]int{"x": 1, "y": 2},
			More: map[string]any{"big": int64(9007199254740993), "f": 1.5, "n": 7.0, "t": nil},
			Mean: 2.5, Raw: []byte{0xff, 0}, Next: &parcel{ID: "n"},
			At: time.Date(2026, 11, 28, 19, 0, 0, 5, time.FixedZone("", 3600)),
		},
	} {
		got, err := codec.Decode([]byte(data))
		if !got.At.Equal(want.At) {
			t.Errorf("%v, want %v", got.At, want.At)
		}
		got.At, want.At = time.Time{}, time.Time{}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", data, got, err, want)
		}
	}
	for data, want := range map[string]string{
		`{"id":"a","gone":1}`:   `unknown field "gone"`,
		`{"id":"a","id":"b"}`:   "duplicate",
		`{"id":"a"} {"id":"a"}`: "unexpected data",
		"\xa1bida":              "invalid character",
	} {
		if got, err := codec.Decode([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want %s", data, got, err, want)
		}
	}
	// And the other way: a stage that goes back to JSON reads its CBOR.
	data, err := codec.Append(nil, parcel{ID: "x", Raw: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := engine.JSON[parcel]().Decode(data); err != nil || got.ID != "x" || len(got.Raw) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// replayOffline asks for the replay of all letters, and returns them.
func replayOffline(t *testing.T, dir string) (asked []dlq.Letter) {
	t.Helper()
	i, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	queue, found, err := i.DeadLetters(t.Context())
	if err != nil || !found {
		t.Fatal(found, err)
	}
	err = queue.Select(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
		asked = append(asked, l)
		return queue.Replay(t.Context(), l, dlq.ReplayOptions{})
	})
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// A directory of an older version: its state, its messages and its letters are JSON.
func TestRunGoesOnFromJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	type tally struct {
		Sum   uint64            `json:"sum"`
		Names map[string]uint64 `json:"names"`
	}
	type named struct {
		N    uint64 `json:"n"`
		Name string `json:"name"`
	}
	wire := func(isOld bool, until uint64, last *tally) *engine.Pipeline {
		p := engine.New("older")
		numbers := engine.Source(p.With(fast), "numbers", count(300, 7))
		names := engine.Stage(p.With(fast), "names", engine.On(numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[named]) error {
			emit(named{m.Value, fmt.Sprint("n", m.Value%3)})
			return nil
		}))
		var parts []engine.Part[tally, engine.None]
		if isOld {
			names = names.WithCodec(engine.JSON[named]())
			parts = append(parts, engine.StateCodec[tally, engine.None](engine.JSON[tally]()))
		}
		engine.Sink(p.With(fast), "tally", names, func(_ context.Context, s *tally, m engine.Message[named]) error {
			switch {
			case m.Value.N == until && m.Attempt == 1:
				return errReleased
			case m.Value.N == until:
				return engine.Fatal(errReleased)
			case m.Value.N == 50 && isOld:
				return engine.Reject(errReleased)
			}
			if s.Names == nil {
				s.Names = map[string]uint64{}
			}
			s.Sum += m.Value.N
			s.Names[m.Value.Name]++
			*last = *s
			return nil
		}, parts...)
		return p
	}
	var last tally
	if err := runFailing(t, wire(true, 100, &last), dir); !errors.Is(err, errReleased) {
		t.Fatal(err)
	}
	asked := replayOffline(t, dir)
	if len(asked) != 1 || asked[0].Codec != "json" || string(asked[0].Value) != `{"n":50,"name":"n2"}` {
		t.Fatalf("%+v", asked)
	}
	run(t, wire(false, 300, &last), dir)
	if last.Sum != 299*300/2 || !reflect.DeepEqual(last.Names, map[string]uint64{"n0": 100, "n1": 100, "n2": 100}) {
		t.Errorf("%+v", last)
	}
	i, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	err = i.State(t.Context(), "tally", func(_ string, state json.RawMessage) error {
		if string(state) != `{"sum":44850,"names":{"n0":100,"n1":100,"n2":100}}` {
			t.Errorf("%s", state)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
