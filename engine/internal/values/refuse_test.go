package values_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"penstock/engine/internal/values"
)

type (
	item  struct{ Price any }
	order struct {
		Items []item
		Next  *order
		By    map[string]float64
	}
	halfJSON struct{ N int }
	halfText string
	inner    struct{ N int }
	number   int
	Twin     struct{ ID int }
	looped   struct{ *looped }
	pointers *pointers
)

func (*halfJSON) UnmarshalJSON([]byte) error { return nil }
func (*halfText) UnmarshalText([]byte) error { return nil }

var both = []values.Format{values.CBOR, values.JSON}

func TestATypeThatLosesSomethingIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ     reflect.Type
		formats []values.Format
		want    string
	}{
		{reflect.TypeFor[struct{ n int }](), both, "field n of struct { n int } is not exported"},
		{reflect.TypeFor[struct{ A struct{ B []struct{ n int } } }](), both, ".A.B[]: field n"},
		{reflect.TypeFor[struct{ number }](), both, "field number of"},
		{reflect.TypeFor[struct{ *inner }](), both, "the embedded pointer inner is not exported"},
		{reflect.TypeFor[struct {
			*Twin
			A int
		}](), both, ""},
		{reflect.TypeFor[struct {
			Twin
			ID int
		}](), both, "the fields ID and ID"},
		{reflect.StructOf([]reflect.StructField{ // vet knows this mistake, too
			{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`}, {Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		}), both, "the fields A and B of struct"},
		{reflect.TypeFor[struct {
			time.Time
			N int
		}](), both, "writes itself by the MarshalJSON of its embedded Time, and so loses its field N"},
		{reflect.TypeFor[struct{ time.Time }](), both, ""},
		{reflect.TypeFor[looped](), both, "embeds itself"},
		{reflect.TypeFor[pointers](), both, "a pointer to a pointer"},
		{reflect.TypeFor[struct{ E error }](), both, ".E: error is an interface"},
		{reflect.TypeFor[struct{ F func() }](), both, ".F: func() has no"},
		{reflect.TypeFor[struct{ C chan int }](), both, ".C: chan int has no"},
		{reflect.TypeFor[complex128](), both, "complex128 has no"},
		{reflect.TypeFor[halfJSON](), both, "has UnmarshalJSON, but no MarshalJSON"},
		{reflect.TypeFor[halfText](), both, "has UnmarshalText, but no MarshalText"},
		{reflect.TypeFor[map[any]int](), []values.Format{values.CBOR}, "interface {} is not supported as the key of a map"},
		{reflect.TypeFor[map[*int]int](), both, "as the key of a map"},
		{reflect.TypeFor[map[float64]int](), []values.Format{values.JSON}, "float64 as the key of a map has no JSON form"},
		{reflect.TypeFor[map[string]big.Float](), []values.Format{values.JSON}, "JSON does not call the methods of *big.Float for a value in a map"},
		{reflect.TypeFor[map[string]struct{ A [2]big.Float }](), []values.Format{values.JSON}, ".A[]: JSON does not call"},
		{reflect.TypeFor[struct{ F big.Float }](), both, ""},
		{reflect.TypeFor[struct {
			A int `cbor:"1,keyasint"`
		}](), []values.Format{values.CBOR}, "keyasint of field A"},
		{reflect.TypeFor[struct {
			_ struct{} `cbor:",toarray"`
			A int
		}](), []values.Format{values.CBOR}, "not supported"},
		{reflect.TypeFor[struct {
			n int `json:"-"`
			_ int
		}](), both, ""},
	} {
		for _, format := range c.formats {
			_, err := values.Of(c.typ, format)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v as %v: %v; want %q", c.typ, format, err, c.want)
			}
		}
	}
}

func TestWhatWouldBeChangedIsRefusedByItsField(t *testing.T) {
	t.Parallel()
	cycle := &order{}
	cycle.Next = cycle
	list := []any{nil}
	list[0] = list
	var none []int
	for _, c := range []struct {
		value   any
		formats []values.Format
		want    string
	}{
		{order{Items: []item{{}, {Price: struct{ A int }{}}}}, both, ".Items[1].Price (struct { A int }): a struct { A int } in an interface"},
		{order{Items: []item{{Price: []string{"x"}}}}, both, ".Items[0].Price ([]string)"},
		{order{Items: []item{{Price: map[string]any{"a": []any{1, time.Now}}}}}, both, `.Items[0].Price["a"][1] (func() time.Time)`},
		{order{Items: []item{{Price: []any(nil)}}}, both, "a nil []interface {} in an interface"},
		{*cycle, both, ".Next.Next.Next"},
		{item{list}, both, ".Price[0][0]"},
		{struct{ P *[]int }{&none}, both, ".P (*[]int): it points to a nil []int"},
		{struct{ P *any }{new(any)}, both, ".P"},
		{struct{ T time.Time }{time.Unix(0, 0).In(time.FixedZone("", 3208))}, both, ".T (time.Time): its time zone differs from UTC by a fraction"},
		{struct{ T time.Time }{time.Unix(0, 0).In(time.FixedZone("", 25*3600))}, both, ".T (time.Time): its time zone is a day or more away from UTC"},
		{struct{ T []time.Time }{[]time.Time{time.Unix(1<<40, 0)}}, both, ".T[0] (time.Time): its year"},
		{map[time.Time]int{time.Unix(1, 0).UTC(): 1, time.Unix(1, 0).In(time.FixedZone("x", 0)): 2}, both, "two of its keys have the same encoding"},
		{order{By: map[string]float64{"a": math.NaN()}}, []values.Format{values.JSON}, `.By["a"] (float64): JSON has no NaN`},
		{order{By: map[string]float64{"caf\xe9": 1}}, []values.Format{values.JSON}, `.By["caf\xe9"] (string): it is not UTF-8`},
		{struct{ ID string }{"caf\xe9"}, []values.Format{values.JSON}, ".ID (string): it is not UTF-8"},
		{item{"caf\xe9"}, []values.Format{values.JSON}, ".Price (string): it is not UTF-8"},
		{item{[]byte("x")}, []values.Format{values.JSON}, ".Price ([]uint8)"},
		{item{float32(0.1)}, []values.Format{values.JSON}, ".Price (float32)"},
		{item{12345678901234567890.0}, []values.Format{values.JSON}, ".Price (float64)"},
		{struct{ N json.Number }{}, []values.Format{values.JSON}, ".N (json.Number)"},
		{struct{ P *json.RawMessage }{new(json.RawMessage)}, []values.Format{values.JSON}, ".P"},
	} {
		for _, format := range c.formats {
			ptr := reflect.New(reflect.TypeOf(c.value))
			ptr.Elem().Set(reflect.ValueOf(c.value))
			shape, err := values.Of(ptr.Type().Elem(), format)
			if err != nil {
				t.Errorf("%T as %v: %v", c.value, format, err)
				continue
			}
			_, err = write(shape, format, ptr)
			var at *values.Error
			if errors.As(err, &at) {
				err = fmt.Errorf("%s (%v): %w", at.Field, at.Type, at.Err)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || err != nil && len(err.Error()) > 1000 {
				t.Errorf("%T as %v: %v; want %q", c.value, format, err, c.want)
			}
		}
	}
}

// A cycle is named by the beginning of its path, so that the line of the log can be read.
func TestThePathOfACycleIsShort(t *testing.T) {
	t.Parallel()
	cycle := &order{}
	cycle.Next = cycle
	for _, format := range []values.Format{values.CBOR, values.JSON} {
		shape, err := values.Of(reflect.TypeFor[order](), format)
		if err != nil {
			t.Fatal(err)
		}
		_, err = write(shape, format, reflect.ValueOf(cycle))
		if want := ".Next.Next.Next.Next.Next.Next.Next.Next…: it is nested deeper than 10000: does it contain itself?"; err == nil || err.Error() != want {
			t.Errorf("as %v: %v; want %s", format, err, want)
		}
	}
}

func TestNumbersInAnInterfaceAreExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value        any
		cbor, fromJS any
	}{
		{9007199254740993, int64(9007199254740993), int64(9007199254740993)},
		{uint64(math.MaxUint64), uint64(math.MaxUint64), uint64(math.MaxUint64)},
		{math.MinInt64, int64(math.MinInt64), float64(math.MinInt64)},
		{uint8(7), int64(7), 7.0},
		{5.0, 5.0, 5.0},
		{float32(0.5), 0.5, 0.5},
		{math.Copysign(0, -1), math.Copysign(0, -1), math.Copysign(0, -1)},
		{1e25, 1e25, 1e25},
		{[]any{map[string]any{"a": uint64(1 << 63)}}, []any{map[string]any{"a": uint64(1 << 63)}}, []any{map[string]any{"a": float64(1 << 63)}}},
	} {
		for format, want := range []any{c.cbor, c.fromJS} {
			format := values.Format(format)
			shape, err := values.Of(reflect.TypeFor[map[string][1]item](), format)
			if err != nil {
				t.Fatal(err)
			}
			value := map[string][1]item{"x": {{c.value}}}
			data, err := write(shape, format, reflect.ValueOf(&value))
			if err != nil {
				t.Errorf("%v as %v: %v", c.value, format, err)
				continue
			}
			var got map[string][1]item
			if err := read(shape, format, data, &got); err != nil || !reflect.DeepEqual(got["x"][0].Price, want) {
				t.Errorf("%v as %v comes back as %T %v, %v", c.value, format, got["x"][0].Price, got["x"][0].Price, err)
			}
		}
	}
}

// What others wrote, or a hand that edits, is refused where a decoder would choose.
func TestWhatNobodyWritesIsNotRead(t *testing.T) {
	t.Parallel()
	type state struct {
		S *state
		A int
		M map[string]int
		X any
	}
	for data, want := range map[string]string{
		`{"A":1,"A":2}`:                                      `duplicate object member name "A"`,
		`{"M":{"x":1,"x":2}}`:                                "duplicate object member name",
		"{\"X\":\"\xff\"}":                                   "invalid UTF-8",
		`{"B":1}`:                                            `unknown field "B"`,
		`{"A":1}{}`:                                          "unexpected data",
		`{"X":123456789012345678901}`:                        "does not fit into 64 bits",
		values.Mark + "\xa2\x61A\x01\x61A\x02":               "duplicate map key",
		values.Mark + "\xa1\x61B\x01":                        `unknown field "`,
		values.Mark + "\xa1\x61M\xa1\x61x\xa1\x61B\x01":      "",
		values.Mark + "\xa1\x61a\x01":                        `unknown field "`,
		values.Mark + "\xa1\x61S\xa1\x61B\x01":               `unknown field "S.B"`,
		values.Mark + "\xa0\x00":                             "extraneous data",
		values.Mark + "\xa1\x61M\xa2\x61x\x01\x61x\x02":      "duplicate map key",
		values.Mark + "\x9b\x7f\xff\xff\xff\xff\xff\xff\xff": "",
		values.Mark + "\xa1\x61X" + strings.Repeat("\x81", 20_000) + "\x01": "nested",
	} {
		format := values.JSON
		if values.IsCBOR([]byte(data)) {
			format = values.CBOR
		}
		shape, err := values.Of(reflect.TypeFor[state](), format)
		if err != nil {
			t.Fatal(err)
		}
		var got state
		if err := read(shape, format, []byte(data), &got); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %+v, %v; want %q", data, got, err, want)
		}
	}
}

// Garbage is an error, never a panic, and takes no more memory than its length warrants.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(values.Mark + "\xa1\x65Items\x81\xa1\x65Price\x1b\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte(`{"Items":[{"Price":[1,{"a":"b"}]}],"Next":{"By":{"x":1.5}}}`))
	f.Add([]byte(values.Mark + "\xa1\x65Items\x9b\x00\x00\x00\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range both {
			shape, err := values.Of(reflect.TypeFor[order](), format)
			if err != nil {
				t.Fatal(err)
			}
			var got order
			if err := read(shape, format, data, &got); err != nil {
				continue
			}
			again, err := write(shape, format, reflect.ValueOf(&got))
			if err != nil {
				continue // JSON that is not read as it would be written
			}
			var back order
			if err := read(shape, format, again, &back); err != nil || !same(reflect.ValueOf(got), reflect.ValueOf(back)) {
				t.Fatalf("%q: %+v comes back as %+v, %v", data, got, back, err)
			}
		}
	})
}
