package codecs

import (
	"bytes"
	"fmt"
	"math"

	"github.com/fxamacker/cbor/v2"

	"penstock/engine"
)

// CBOR returns a codec that writes values as CBOR (RFC 8949), in the same
// bytes for the same value. Of a struct it writes the exported fields; the
// tags are cbor or json. It is safe for concurrent use.
func CBOR[T any]() engine.Codec[T] { return cborCodec[T]{} }

type cborCodec[T any] struct{}

var (
	_ engine.Codec[int] = cborCodec[int]{}

	cborEncoding = must(cbor.EncOptions{
		Sort: cbor.SortCoreDeterministic,
		Time: cbor.TimeRFC3339NanoUTC, // the default would cut times to seconds
	}.EncMode())
	// What is decoded was written by Append. So a key that comes twice, or
	// that no field wants, is damage or another type; and the limits that
	// guard against strangers must not refuse what was written.
	cborDecoding = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8DecodeInvalid,
		MaxArrayElements:  math.MaxInt32,
		MaxMapPairs:       math.MaxInt32,
		MaxNestedLevels:   1024,
	}.DecMode())
)

func must[T any](mode T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("codecs: CBOR options: %v", err))
	}
	return mode
}

func (cborCodec[T]) Name() string { return "cbor" }

func (cborCodec[T]) Append(dst []byte, value T) ([]byte, error) {
	buffer := bytes.NewBuffer(dst)
	if err := cborEncoding.NewEncoder(buffer).Encode(value); err != nil {
		return dst, err
	}
	return buffer.Bytes(), nil
}

func (cborCodec[T]) Decode(data []byte) (T, error) {
	var value T
	err := cborDecoding.Unmarshal(data, &value)
	return value, err
}
