package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
)

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
type scalarCodec[T any] struct{ scalar }

func (c scalarCodec[T]) Append(dst []byte, value T) ([]byte, error) {
	return c.append(dst, reflect.ValueOf(&value).Elem()), nil
}

func (c scalarCodec[T]) Decode(data []byte) (T, error) {
	var value T
	err := c.set(reflect.ValueOf(&value).Elem(), data)
	return value, err
}

// scalar is the kind of a type that isRaw.
type scalar reflect.Kind

// Name says how the bytes are to be read.
func (s scalar) Name() string {
	switch kind := reflect.Kind(s); {
	case kind == reflect.String, kind == reflect.Bool:
		return kind.String()
	case kind == reflect.Slice:
		return "bytes"
	case kind == reflect.Float32, kind == reflect.Float64:
		return "float64"
	case kind <= reflect.Int64:
		return "int64"
	}
	return "uint64"
}

func (s scalar) append(dst []byte, v reflect.Value) []byte {
	switch s.Name() {
	case "string":
		return append(dst, v.String()...)
	case "bytes":
		return append(dst, v.Bytes()...)
	case "bool":
		if v.Bool() {
			return append(dst, 1)
		}
		return append(dst, 0)
	case "float64":
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float()))
	case "int64":
		return binary.LittleEndian.AppendUint64(dst, uint64(v.Int()))
	}
	return binary.LittleEndian.AppendUint64(dst, v.Uint())
}

// set decodes data into v.
func (s scalar) set(v reflect.Value, data []byte) error {
	switch name := s.Name(); name {
	case "string":
		v.SetString(string(data))
	case "bytes":
		v.SetBytes(append([]byte{}, data...))
	case "bool":
		if len(data) != 1 || data[0] > 1 {
			return fmt.Errorf("decode bool: %x", data)
		}
		v.SetBool(data[0] == 1)
	default:
		w, err := word(name, data)
		if err != nil {
			return err
		}
		return setWord(v, name, w)
	}
	return nil
}

func setWord(v reflect.Value, name string, w uint64) error {
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
