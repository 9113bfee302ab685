package dlq_test

import (
	"encoding/json"
	"math"
	"testing"

	"penstock/dlq"
	"penstock/engine"
)

// Numbers and truth values are shown as the engine's codecs read them, and nothing else
// is taken for one.
func TestDecodedIsWhatTheCodecReads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		codec string
		value []byte
		want  string
	}{
		{"uint64", encodedAs(t, uint64(1<<60+1)), "1152921504606846977"},
		{"int64", encodedAs(t, int64(-7)), "-7"},
		{"float64", encodedAs(t, 0.25), "0.25"},
		{"float64", encodedAs(t, math.Inf(1)), ""},
		{"float64", encodedAs(t, math.NaN()), ""},
		{"bool", encodedAs(t, true), "true"},
		{"bool", []byte{2}, ""},
		{"uint64", []byte("7"), ""},
		{"string", []byte("12345678"), ""},
		{"cbor", []byte("12345678"), ""},
	} {
		data, err := json.Marshal(dlq.Letter{Content: dlq.Content{Codec: test.codec, Value: test.value}})
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Decoded json.RawMessage }
		if err := json.Unmarshal(data, &got); err != nil || string(got.Decoded) != test.want {
			t.Errorf("%s %x: %s, want %s, in %s", test.codec, test.value, got.Decoded, test.want, data)
		}
	}
}

func encodedAs[T any](t *testing.T, v T) []byte {
	t.Helper()
	data, err := engine.DefaultCodec[T]().Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
