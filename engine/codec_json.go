package engine

import (
	"reflect"

	"penstock/engine/internal/values"
)

// JSON returns the codec that writes values by encoding/json. What that would
// change without a word (text that is not UTF-8) or not read back as it was (a
// nil pointer behind a pointer) is refused with an EncodeError. It ignores fields
// that T does not have, except within Migrated. It reads what CBOR wrote, too.
//
// A number in an interface comes back as float64, or where that would be
// another number as int64 or uint64.
func JSON[T any]() Codec[T] {
	typ, err := values.Of(reflect.TypeFor[T](), values.JSON)
	return jsonCodec[T]{typ: typ, err: err}
}

// jsonCodec refuses unknown fields when it is strict.
type jsonCodec[T any] struct {
	typ    *values.Type
	err    error
	strict bool
}

func (jsonCodec[T]) Name() string { return "json" }

// refused says why T cannot be kept.
func (c jsonCodec[T]) refused() error { return c.err }

func (c jsonCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	if c.err != nil {
		return dst, encodeError("json", reflect.TypeFor[T](), c.err)
	}
	data, err := c.typ.AppendJSON(dst, reflect.ValueOf(&v))
	if err != nil {
		return dst, encodeError("json", reflect.TypeFor[T](), err)
	}
	return data, nil
}

func (c jsonCodec[T]) Decode(data []byte) (v T, err error) {
	switch {
	case values.IsCBOR(data):
		return CBOR[T]().Decode(data)
	case c.err != nil:
		return v, c.err
	}
	err = c.typ.DecodeJSON(data, &v, c.strict)
	return v, err
}

// strict has a JSON codec refuse fields that T does not have. Others stay.
func strict[T any](codec Codec[T]) Codec[T] {
	if c, isJSON := codec.(jsonCodec[T]); isJSON {
		c.strict = true
		return c
	}
	return codec
}
