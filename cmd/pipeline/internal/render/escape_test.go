package render

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain ☃ text": "plain ☃ text",
		"a\x1b[2Jb":    `a\u001b[2Jb`,
		"a\nb\tc\r":    `a\nb\tc\u000d`,
		"\x9b\u009b":   `\x9b\u009b`,
		"\u202e":       `\u202e`,
		"\U000e0001":   `\U000e0001`,
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestEscapeJSONKeepsTheValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		value := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "value")
		value["\x7f\u009b\u202e\U000e0001"] = "\u2028"
		if err := encoder.Encode(value); err != nil {
			t.Fatal(err)
		}
		line := bytes.TrimSpace(text.Bytes())
		safe := EscapeJSON(line)
		if i := bytes.IndexFunc(safe, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Fatalf("byte %d of %q is not printable", i, safe)
		}
		var before, after map[string]string
		if json.Unmarshal(line, &before) != nil || json.Unmarshal(safe, &after) != nil {
			t.Fatalf("no JSON: %q", safe)
		}
		for k, v := range before {
			if after[k] != v || len(after) != len(before) {
				t.Fatalf("%q became %q", line, safe)
			}
		}
	})
	if got := string(EscapeJSON([]byte("\"a\x9b\""))); got != `"a\ufffd"` {
		t.Errorf("%q", got)
	}
}
