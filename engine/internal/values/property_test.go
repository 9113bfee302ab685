package values_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"penstock/engine/internal/values"
)

// What is written comes back, or is refused: of any type, and any value.
func TestAValueComesBackAsItWasOrIsRefused(t *testing.T) {
	t.Parallel()
	for _, format := range []values.Format{values.CBOR, values.JSON} {
		t.Run(format.String(), func(t *testing.T) {
			t.Parallel()
			kept := 0
			rapid.Check(t, func(t *rapid.T) {
				typ := anyType(t, 3)
				shape, err := values.Of(typ, format)
				if err != nil {
					return
				}
				want := reflect.New(typ)
				fill(t, want.Elem(), 3)
				data, err := write(shape, format, want)
				if err != nil {
					var at *values.Error
					if !errors.As(err, &at) || at.Type == nil {
						t.Fatalf("a refusal that names nothing: %v", err)
					}
					return
				}
				kept++
				if again, _ := write(shape, format, want); !bytes.Equal(again, data) {
					t.Fatalf("the same value gives %x and %x", data, again)
				}
				got := reflect.New(typ)
				if err := read(shape, format, data, got.Interface()); err != nil {
					t.Fatalf("%v %+v is written as %x, which is not read: %v", typ, want.Elem(), data, err)
				}
				if !same(want.Elem(), got.Elem()) {
					t.Fatalf("%v: %#v comes back as %#v (%x)", typ, want.Elem(), got.Elem(), data)
				}
			})
			if kept == 0 {
				t.Error("everything is refused")
			}
		})
	}
}

func write(shape *values.Type, format values.Format, ptr reflect.Value) ([]byte, error) {
	if format == values.JSON {
		return shape.AppendJSON(nil, ptr)
	}
	return shape.AppendCBOR(nil, ptr)
}

func read(shape *values.Type, format values.Format, data []byte, ptr any) error {
	if format == values.JSON {
		return shape.DecodeJSON(data, ptr, true)
	}
	return shape.DecodeCBOR(data, ptr)
}

// same is equality to the bit, where the guide promises it: nil is not empty, a
// NaN is a NaN, a time keeps its instant and its offset.
func same(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if a.IsValid() && a.Type() != b.Type() {
		return sameNumber(a, b)
	}
	switch x := a.Interface().(type) {
	case time.Time:
		y := b.Interface().(time.Time)
		_, from := x.Zone()
		_, to := y.Zone()
		return x.Equal(y) && from == to
	case big.Int:
		y := b.Interface().(big.Int)
		return x.Cmp(&y) == 0
	case json.RawMessage:
		return bytes.Equal(x, b.Interface().(json.RawMessage))
	}
	return sameKind(a, b)
}

func sameKind(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float()) || math.IsNaN(a.Float()) && math.IsNaN(b.Float())
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() || a.Kind() == reflect.Slice && a.IsNil() != b.IsNil() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		return sameMap(a, b)
	case reflect.Struct:
		if a.Type().NumField() > 0 && !a.Type().Field(0).IsExported() {
			return a.Interface() == b.Interface()
		}
		for i := range a.NumField() {
			isLeftOut := a.Field(i).IsZero() && strings.Contains(string(a.Type().Field(i).Tag), "omitzero") // also a negative zero
			if !same(a.Field(i), b.Field(i)) && !(isLeftOut && b.Field(i).IsZero()) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}

func sameMap(a, b reflect.Value) bool {
	if a.Len() != b.Len() || a.IsNil() != b.IsNil() {
		return false
	}
	for it := a.MapRange(); it.Next(); {
		found := false
		for other := b.MapRange(); other.Next() && !found; {
			found = same(it.Key(), other.Key()) && same(it.Value(), other.Value())
		}
		if !found {
			return false
		}
	}
	return true
}

// sameNumber compares what an interface holds with what comes back of it: the
// same number, in a type that may be a wider one.
func sameNumber(a, b reflect.Value) bool {
	x, ok := exact(a)
	y, also := exact(b)
	return ok && also && x.Cmp(y) == 0
}

func exact(v reflect.Value) (*big.Float, bool) {
	f := new(big.Float).SetPrec(200)
	switch {
	case v.CanInt():
		return f.SetInt64(v.Int()), true
	case v.CanUint():
		return f.SetUint64(v.Uint()), true
	case v.CanFloat() && !math.IsNaN(v.Float()):
		return f.SetFloat64(v.Float()), true
	}
	return nil, false
}
