package telemetry

import (
	"encoding/json"
	"testing"

	"penstock/dlq"
	"penstock/engine"
)

// A value is shown as its codec reads it, and never as bytes that are no text.
func TestValueOfALetter(t *testing.T) {
	t.Parallel()
	number, err := engine.DefaultCodec[uint64]().Append(nil, 1<<60+1)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ codec, value, want string }{
		{"json", `{"a": [1]}`, `{"a":[1]}`},
		{"cbor", "\xd9\xd9\xf7\xa2bid\x1b\x10\x00\x00\x00\x00\x00\x00\x01ba<d\xf6\xe9<b", `{"id":1152921504606846977,"a\u003c":{"$text":"\\xf6\\xe9\u003cb"}}`},
		{"cbor", `{"a": [1]}`, `{"a":[1]}`}, // of an older version
		{"cbor", "\xd9\xd9\xf7\xa2", `"d9d9f7a2"`},
		{"json", `{"a"`, `"{\"a\""`},
		{"uint64", string(number), `"1152921504606846977"`},
		{"uint64", "7", `"37"`},
		{"string", "<b> & ü\n", `"\u003cb\u003e \u0026 ü\n"`},
		{"bytes", "\x00\x01", `"0001"`},
		{"mine", "\xff", `"ff"`},
	} {
		got, err := json.Marshal(valueOf(dlq.Letter{Codec: test.codec, Value: []byte(test.value)}))
		if err != nil || string(got) != test.want {
			t.Errorf("%s %q: %s, %v, want %s", test.codec, test.value, got, err, test.want)
		}
	}
}
