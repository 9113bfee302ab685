package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// JSON returns the codec that writes values by encoding/json. It ignores fields
// that T does not have. A state, when nothing else is said, is refused then: see
// Migrated.
func JSON[T any]() Codec[T] { return jsonCodec[T]{} }

// jsonCodec refuses unknown fields when it is strict.
type jsonCodec[T any] struct{ strict bool }

func (jsonCodec[T]) Name() string { return "json" }

func (jsonCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return dst, err
	}
	return append(dst, data...), nil
}

func (c jsonCodec[T]) Decode(data []byte) (v T, err error) {
	if !c.strict {
		err := json.Unmarshal(data, &v)
		return v, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, err
	}
	if _, err := d.Token(); err != io.EOF {
		return v, errors.New("json: something follows the value")
	}
	return v, nil
}

// strict has a JSON codec refuse fields that T does not have. Others stay.
func strict[T any](codec Codec[T]) Codec[T] {
	if _, isJSON := codec.(jsonCodec[T]); isJSON {
		return jsonCodec[T]{strict: true}
	}
	return codec
}
