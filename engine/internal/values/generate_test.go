package values_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"time"

	"pgregory.net/rapid"
)

// Types that no reflection makes: with methods, embedded, recursive.
type (
	Base  struct{ ID int64 }
	Small struct {
		Base
		Note string `json:"note,omitempty"`
	}
	Node struct {
		Text string
		Next *Node
		Kids map[string]*Node
	}
	color uint8
	label string
)

var leaves = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int64](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[[4]byte](), reflect.TypeFor[color](), reflect.TypeFor[label](), reflect.TypeFor[any](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[time.Duration](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[big.Int](), reflect.TypeFor[json.RawMessage](),
	reflect.TypeFor[json.Number](), reflect.TypeFor[Small](), reflect.TypeFor[Node](), reflect.TypeFor[struct{}](),
}

var keys = []reflect.Type{
	reflect.TypeFor[string](), reflect.TypeFor[label](), reflect.TypeFor[int](), reflect.TypeFor[uint8](), reflect.TypeFor[bool](),
	reflect.TypeFor[float64](), reflect.TypeFor[[2]byte](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[time.Time](), reflect.TypeFor[Base](),
}

// anyType draws a type: a leaf, or one that is made of others.
func anyType(t *rapid.T, depth int) reflect.Type {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom(leaves).Draw(t, "type")
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return reflect.PointerTo(anyType(t, depth-1))
	case 1:
		return reflect.SliceOf(anyType(t, depth-1))
	case 2:
		return reflect.ArrayOf(rapid.IntRange(0, 3).Draw(t, "length"), anyType(t, depth-1))
	case 3:
		return reflect.MapOf(rapid.SampledFrom(keys).Draw(t, "key"), anyType(t, depth-1))
	}
	var fields []reflect.StructField
	for i := range rapid.IntRange(0, 4).Draw(t, "fields") {
		tag := rapid.SampledFrom([]string{"", `json:"-"`, fmt.Sprintf(`json:"f%d"`, i), `json:",omitzero"`}).Draw(t, "tag")
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("Field%d", i), Type: anyType(t, depth-1), Tag: reflect.StructTag(tag)})
	}
	return reflect.StructOf(fields)
}

// fill draws a value.
func fill(t *rapid.T, v reflect.Value, depth int) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(anyTime(t)))
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:1.2.3.4")}).Draw(t, "addr")))
		return
	case reflect.TypeFor[big.Int]():
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "big"))
		v.Addr().Interface().(*big.Int).Set(n.Neg(n))
		return
	case reflect.TypeFor[json.RawMessage]():
		v.Set(reflect.ValueOf(json.RawMessage(rapid.SampledFrom([]string{"null", `{"a":1}`, `"x"`, "12345678901234567890"}).Draw(t, "raw"))))
		return
	case reflect.TypeFor[json.Number]():
		v.SetString(rapid.SampledFrom([]string{"0", "-1.50", "1e400", "12345678901234567890"}).Draw(t, "number"))
		return
	case reflect.TypeFor[any]():
		if x := anyPlain(t, depth); x != nil {
			v.Set(reflect.ValueOf(x))
		}
		return
	}
	fillKind(t, v, depth)
}

func fillKind(t *rapid.T, v reflect.Value, depth int) {
	length := func() int { return rapid.IntRange(-1, max(min(depth, 3), 0)).Draw(t, "length") }
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint"))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(anyFloat(t))
	case reflect.String:
		v.SetString(anyText(t))
	case reflect.Pointer:
		if length() > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), depth-1)
		}
	case reflect.Slice:
		if n := length(); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i), depth-1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), depth-1)
		}
	case reflect.Map:
		if n := length(); n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(t, key, depth-1)
				fill(t, value, depth-1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(t, v.Field(i), depth-1)
			}
		}
	}
}

func anyText(t *rapid.T) string {
	return rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 5), func(b []byte) string { return string(b) })).Draw(t, "text")
}

func anyFloat(t *rapid.T) float64 {
	return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5, 1e15, 1 << 60, 12345678901234567890, 1e25})).Draw(t, "float")
}

func anyTime(t *rapid.T) time.Time {
	zone := time.FixedZone("", rapid.SampledFrom([]int{0, 3600, -5400, 3208, 86400}).Draw(t, "offset"))
	return time.Unix(rapid.Int64Range(-1<<37, 1<<38).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")).In(zone)
}

// anyPlain draws what an interface may hold, and what it may not.
func anyPlain(t *rapid.T, depth int) any {
	n := 15
	if depth <= 0 {
		n = 11
	}
	switch rapid.IntRange(0, n).Draw(t, "plain") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "int64")
	case 3:
		return rapid.Uint64().Draw(t, "uint64")
	case 4:
		return rapid.Int().Draw(t, "int")
	case 5:
		return anyFloat(t)
	case 6:
		return anyText(t)
	case 7:
		return rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "bytes")
	case 8:
		return anyTime(t)
	case 9:
		return rapid.SampledFrom([]any{color(1), label("x"), Base{1}, &Base{1}, []string{"x"}, map[int]any{1: 1}, struct{}{}, big.NewInt(7), json.Number("1")}).Draw(t, "unkept")
	case 10:
		return rapid.Float32().Draw(t, "float32")
	case 11:
		return rapid.Uint8().Draw(t, "uint8")
	case 12, 13:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, anyPlain(t, depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "length") {
		object[anyText(t)] = anyPlain(t, depth-1)
	}
	return object
}
