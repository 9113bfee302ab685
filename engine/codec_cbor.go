package engine

import (
	"errors"
	"reflect"

	"penstock/engine/internal/values"
)

// CBOR returns the codec that writes values as CBOR (RFC 8949), behind the tag
// that marks it: the default for everything but plain texts, bytes and numbers.
// Of a struct it writes the exported fields in their order, under the names that
// their json tags give (or cbor tags, which come first); the same value is always
// the same bytes. A value that would not come back as it was is refused with an
// EncodeError, and a type whose values never would at the start.
//
// It reads JSON, too: what the default of older versions wrote. A field that T
// does not have, or one that comes twice, is an error; see Migrated.
//
// What an interface holds comes back as bool, string, int64 (or uint64 where
// that is too small), float64, []byte, time.Time, []any or map[string]any.
func CBOR[T any]() Codec[T] {
	typ, err := values.Of(reflect.TypeFor[T](), values.CBOR)
	return cborCodec[T]{typ, err}
}

type cborCodec[T any] struct {
	typ *values.Type
	err error
}

func (cborCodec[T]) Name() string { return "cbor" }

// refused says why T cannot be kept.
func (c cborCodec[T]) refused() error { return c.err }

func (c cborCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	if c.err != nil {
		return dst, encodeError("cbor", reflect.TypeFor[T](), c.err)
	}
	data, err := c.typ.AppendCBOR(dst, reflect.ValueOf(&v))
	if err != nil {
		return dst, encodeError("cbor", reflect.TypeFor[T](), err)
	}
	return data, nil
}

func (c cborCodec[T]) Decode(data []byte) (v T, err error) {
	switch {
	case c.err != nil:
		return v, c.err
	case values.IsCBOR(data):
		err = c.typ.DecodeCBOR(data, &v)
	default:
		err = c.typ.DecodeJSON(data, &v, true)
	}
	return v, err
}

func encodeError(codec string, t reflect.Type, err error) error {
	e := &EncodeError{Codec: codec, Type: t.String(), Err: err}
	var at *values.Error
	if errors.As(err, &at) {
		e.Field, e.Type, e.Err = at.Field, at.Type.String(), at.Err
	}
	return e
}
