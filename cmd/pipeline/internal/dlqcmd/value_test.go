package dlqcmd

import (
	"strings"
	"testing"
)

func TestValuesAndTextsAreInverse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ codec, text, value string }{
		{"json", "{\n  \"a\": 1\n}", `{"a":1}`},
		{"cbor", "{\n  \"a\": 1\n}", "\xd9\xd9\xf7\xa1aa\x01"},
		{"cbor", "{\n  \"a\": 1\n}", `{"a":1}`},                 // of an older version
		{"cbor", "1.0", "\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"}, // of a user's codec
		{"string", "a\x1b\n", "a\x1b\n"},
		{"bytes", "text", "text"},
		{"", "text", "text"},
		{"bool", "true", "\x01"},
		{"bool", "false", "\x00"},
		{"uint64", "18446744073709551615", strings.Repeat("\xff", 8)},
		{"int64", "-1", strings.Repeat("\xff", 8)},
		{"float64", "1.5", "\x00\x00\x00\x00\x00\x00\xf8\x3f"},
		{"float64", "NaN", "\x01\x00\x00\x00\x00\x00\xf8\x7f"},
	} {
		if text, ok := valueText(test.codec, []byte(test.value)); !ok || text != test.text {
			t.Errorf("%s: text %q, %v, want %q", test.codec, text, ok, test.text)
		}
		if value, err := textValue(test.codec, test.text, []byte(test.value)); err != nil || string(value) != test.value {
			t.Errorf("%s: value %q, %v, want %q", test.codec, value, err, test.value)
		}
	}
	for codec, value := range map[string]string{"json": "{", "cbor": "\xff", "string": "\xff", "bytes": "\x00", "": "\xff", "bool": "\x02", "uint64": "7", "int64": "", "float64": "123456789"} {
		if text, ok := valueText(codec, []byte(value)); ok {
			t.Errorf("%s: %q is text %q", codec, value, text)
		}
	}
	for codec, text := range map[string]string{"json": "{", "cbor": "{", "bool": "yes", "uint64": "-1", "int64": "9223372036854775808", "float64": "one"} {
		if value, err := textValue(codec, text, nil); err == nil {
			t.Errorf("%s: %q is value %q", codec, text, value)
		}
	}
}

func TestIndentedIsBounded(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 9000) + strings.Repeat(`"[",`, 9000) + "1" + strings.Repeat("]", 9000)
	for _, value := range []string{deep, "[" + strings.Repeat("1,", indentBytes) + "1]"} {
		if got := indented([]byte(value)); got != value {
			t.Errorf("%d bytes grew to %d", len(value), len(got))
		}
	}
	if got := depth([]byte(`{"[[\"[":[{}]}`)); got != 3 {
		t.Errorf("depth %d", got)
	}
}
