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
		return scalarCodec[T]{scalar(t.Kind())}
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
