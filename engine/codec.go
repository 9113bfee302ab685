package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"penstock/engine/internal/values"
)

// Codec turns values into bytes and back: of a stream (Stream.WithCodec) or of
// a state (StateCodec). Its methods must be safe for concurrent use.
type Codec[T any] interface {
	// Name says how the bytes are to be read, for people and tools: "cbor",
	// "json", "string", "uint64" …
	Name() string
	// Append appends the value's bytes to dst.
	Append(dst []byte, value T) ([]byte, error)
	// Decode reads what Append wrote. It must not keep data.
	Decode(data []byte) (T, error)
}

// DefaultCodec returns raw bytes for strings and []byte, 8 bytes little endian
// for integers and floats, one for booleans, and CBOR for everything else. What
// they keep is in the guide; nothing is changed without a word, except that a
// nil []byte comes back empty.
func DefaultCodec[T any]() Codec[T] {
	var zero T
	switch any(zero).(type) {
	case string:
		return any(stringCodec{}).(Codec[T])
	case []byte:
		return any(bytesCodec{}).(Codec[T])
	case uint64:
		return any(uint64Codec{}).(Codec[T])
	case int64:
		return any(int64Codec{}).(Codec[T])
	case int:
		return any(intCodec{}).(Codec[T])
	case float64:
		return any(float64Codec{}).(Codec[T])
	}
	if t := reflect.TypeFor[T](); isRaw(t) && !values.WritesItself(t) {
		return scalarCodec[T]{kind: t.Kind()}
	}
	return CBOR[T]()
}

type stringCodec struct{}

func (stringCodec) Name() string                                { return "string" }
func (stringCodec) Append(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil }
func (stringCodec) Decode(data []byte) (string, error)          { return string(data), nil }

type bytesCodec struct{}

func (bytesCodec) Name() string                         { return "bytes" }
func (bytesCodec) Append(dst, v []byte) ([]byte, error) { return append(dst, v...), nil }
func (bytesCodec) Decode(data []byte) ([]byte, error)   { return append([]byte{}, data...), nil }

type uint64Codec struct{}

func (uint64Codec) Name() string { return "uint64" }
func (uint64Codec) Append(dst []byte, v uint64) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, v), nil
}
func (uint64Codec) Decode(data []byte) (uint64, error) { return word("uint64", data) }

type int64Codec struct{}

func (int64Codec) Name() string { return "int64" }
func (int64Codec) Append(dst []byte, v int64) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, uint64(v)), nil
}
func (int64Codec) Decode(data []byte) (int64, error) {
	w, err := word("int64", data)
	return int64(w), err
}

type intCodec struct{}

func (intCodec) Name() string { return "int64" }
func (intCodec) Append(dst []byte, v int) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, uint64(v)), nil
}
func (intCodec) Decode(data []byte) (int, error) {
	w, err := word("int64", data)
	return int(w), err
}

type float64Codec struct{}

func (float64Codec) Name() string { return "float64" }
func (float64Codec) Append(dst []byte, v float64) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), nil
}
func (float64Codec) Decode(data []byte) (float64, error) {
	w, err := word("float64", data)
	return math.Float64frombits(w), err
}

func word(name string, data []byte) (uint64, error) {
	if len(data) != 8 {
		return 0, fmt.Errorf("decode %s: %d bytes, want 8", name, len(data))
	}
	return binary.LittleEndian.Uint64(data), nil
}

func isRaw(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64:
		return true
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	}
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
}

// scalarCodec serves named and narrow scalar types, by reflection.
type scalarCodec[T any] struct{ kind reflect.Kind }

func (c scalarCodec[T]) Name() string {
	switch {
	case c.kind == reflect.String, c.kind == reflect.Bool:
		return c.kind.String()
	case c.kind == reflect.Slice:
		return "bytes"
	case c.kind == reflect.Float32, c.kind == reflect.Float64:
		return "float64"
	case c.kind <= reflect.Int64:
		return "int64"
	}
	return "uint64"
}

func (c scalarCodec[T]) Append(dst []byte, value T) ([]byte, error) {
	v := reflect.ValueOf(&value).Elem()
	switch c.Name() {
	case "string":
		return append(dst, v.String()...), nil
	case "bytes":
		return append(dst, v.Bytes()...), nil
	case "bool":
		if v.Bool() {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case "float64":
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float())), nil
	case "int64":
		return binary.LittleEndian.AppendUint64(dst, uint64(v.Int())), nil
	}
	return binary.LittleEndian.AppendUint64(dst, v.Uint()), nil
}

func (c scalarCodec[T]) Decode(data []byte) (T, error) {
	var value T
	v := reflect.ValueOf(&value).Elem()
	switch name := c.Name(); name {
	case "string":
		v.SetString(string(data))
	case "bytes":
		v.SetBytes(append([]byte{}, data...))
	case "bool":
		if len(data) != 1 || data[0] > 1 {
			return value, fmt.Errorf("decode bool: %x", data)
		}
		v.SetBool(data[0] == 1)
	default:
		w, err := word(name, data)
		if err != nil {
			return value, err
		}
		return value, c.setWord(v, name, w)
	}
	return value, nil
}

func (c scalarCodec[T]) setWord(v reflect.Value, name string, w uint64) error {
	switch name {
	case "float64":
		v.SetFloat(math.Float64frombits(w))
	case "int64":
		if v.OverflowInt(int64(w)) {
			return fmt.Errorf("decode %s: %d does not fit", v.Type(), int64(w))
		}
		v.SetInt(int64(w))
	default:
		if v.OverflowUint(w) {
			return fmt.Errorf("decode %s: %d does not fit", v.Type(), w)
		}
		v.SetUint(w)
	}
	return nil
}
