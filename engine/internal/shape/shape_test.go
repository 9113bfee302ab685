package shape

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	"penstock/engine/frame"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/view"
)

func word64(w uint64) []byte { return binary.LittleEndian.AppendUint64(nil, w) }

func TestAStateIsShownWithoutItsProgram(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		codec string
		data  []byte
		want  string
	}{
		{"json", []byte(`{"a":1}`), `{"a":1}`},
		{"cbor", []byte{0xa1, 0x61, 'a', 1}, `{"a":1}`},
		{"string", []byte("ä"), `"ä"`},
		{"bool", []byte{1}, `true`},
		{"bool", []byte{0}, `false`},
		{"uint64", word64(math.MaxUint64), `18446744073709551615`},
		{"int64", word64(math.MaxUint64), `-1`},
		{"float64", word64(math.Float64bits(1.5)), `1.5`},
		{"uint64", []byte{1}, `{"bytes":"AQ==","codec":"uint64"}`},
		{"string", []byte{0xff}, `{"bytes":"/w==","codec":"string"}`},
		{"float64", word64(math.Float64bits(math.NaN())), `{"bytes":"AQAAAAAA+H8=","codec":"float64"}`},
		{"cbor", []byte{0xff}, `{"bytes":"/w==","codec":"cbor"}`},
		{"json", []byte(`{`), `{"bytes":"ew==","codec":"json"}`},
		{"of a user", []byte{1}, `{"bytes":"AQ==","codec":"of a user"}`},
	} {
		if got := (Shape{Codec: c.codec}).JSON(c.data); string(got) != c.want {
			t.Errorf("%s of % x is shown as %s, want %s", c.codec, c.data, got, c.want)
		}
	}
}

func TestAShapeIsWrittenWhenItChanges(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	notes := 0
	corner := disk.Corner("sum.0", func(bool) { notes++ })
	if _, found, err := Read(corner); found || err != nil {
		t.Fatalf("a new directory has a shape: %v, %v", found, err)
	}
	for _, s := range []Shape{{Codec: "uint64"}, {Codec: "json", Keyed: true}} {
		if err := s.Save(corner); err != nil {
			t.Fatal(err)
		}
		if got, found, err := Read(corner); got != s || !found || err != nil {
			t.Errorf("kept %+v, read %+v, %v, %v", s, got, found, err)
		}
		if notes = 0; s.Save(corner) != nil || notes != 1 { // it is read, not written
			t.Errorf("the same shape took %d steps", notes)
		}
	}
	if err := corner.PutNote(note, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, found, err := Read(corner); found || err == nil {
		t.Error("a damaged note is a shape")
	}
}

func TestStatesOfAKeyedStageAreFoundByKey(t *testing.T) {
	t.Parallel()
	v := view.New("sum", memory.NewDisk().Corner("sum.0", func(bool) {}))
	v.Accept(&frame.Frame{Commit: 1, State: frame.State{Kind: frame.StateKeyed, Changes: []frame.Change{
		{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}, {Key: "c", Deleted: true},
	}}}, 1)
	keyed := Shape{Codec: "json", Keyed: true}
	states := map[string]string{}
	if err := keyed.Each(v, func(key string, state json.RawMessage) error {
		states[key] = string(state)
		return nil
	}); err != nil || !maps.Equal(states, map[string]string{"a": "1", "b": "2"}) {
		t.Errorf("the states are %v, %v", states, err)
	}
	if state, err := keyed.One(v, "b"); string(state) != "2" || err != nil {
		t.Errorf("b is %s, %v", state, err)
	}
	for _, key := range []string{"c", "d"} {
		if _, err := keyed.One(v, key); !errors.Is(err, ErrNoState) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestTheStateOfAnUnkeyedStageHasNoKey(t *testing.T) {
	t.Parallel()
	v := view.New("sum", memory.NewDisk().Corner("sum.0", func(bool) {}))
	one := Shape{Codec: "json"}
	if err := one.Each(v, nil); !errors.Is(err, ErrNoState) {
		t.Errorf("before the first commit: %v", err)
	}
	v.Accept(&frame.Frame{Commit: 1, State: frame.State{Kind: frame.StateWhole, Whole: []byte("7")}}, 1)
	if err := one.Each(v, func(key string, state json.RawMessage) error {
		if key != "" || string(state) != "7" {
			t.Errorf("key %q has %s", key, state)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if _, err := one.One(v, "a"); !errors.Is(err, ErrNoState) {
		t.Errorf("a key: %v", err)
	}
}

func TestWhoNamesAnInstanceIsToldItsStage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"tally.1": `pipeline p has no stage "tally.1": ask for the stage tally, of which that is an instance`,
		"nope.1":  `pipeline p has no stage "nope.1", it has orders, tally`,
		"nope":    `pipeline p has no stage "nope", it has orders, tally`,
	} {
		if err := NoStage("p", name, []string{"orders", "tally"}); !errors.Is(err, ErrNoState) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
