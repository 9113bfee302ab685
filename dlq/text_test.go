package dlq

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

func TestTextIsOneSafeLineAndComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := anyBytes(2000).Draw(t, "text")
		line := encodeText(text)
		if bad := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); bad >= 0 {
			t.Fatalf("%q has an unsafe character at %d", line, bad)
		}
		if len(line) > len(text)*3/2+16 {
			t.Fatalf("%d bytes became %d", len(text), len(line))
		}
		if got, err := decodeText(line); err != nil || got != text {
			t.Fatalf("%q -> %q -> %q, %v", text, line, got, err)
		}
	})
}

func TestTextIsReadable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"user-17":               `"user-17"`,
		"größer <é> & 😀":        `"größer <é> & 😀"`,
		"a stack\n\tmain.go":    `"a stack\n\tmain.go"`,
		"turn \u202e it around": `"turn \u202e it around"`,
		"\xff":                  "base64:/w==",
	} {
		if got := encodeText(text); got != want {
			t.Errorf("encodeText(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestTimeComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := canonicalTime(anyTime().Draw(t, "time"))
		got, err := decodeTime(encodeTime(want))
		if err != nil || got != want {
			t.Fatalf("%v -> %s -> %v, %v", want, encodeTime(want), got, err)
		}
	})
}

func TestDecodingRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", `"`, "base64:?", "1"} {
		if text, err := decodeText(s); err == nil {
			t.Errorf("decodeText(%q) = %q", s, text)
		}
	}
	for _, s := range []string{"", "yesterday", "unix:", "unix:1", "unix:a.1", "unix:1.-1"} {
		if when, err := decodeTime(s); err == nil {
			t.Errorf("decodeTime(%q) = %v", s, when)
		}
	}
	for _, s := range []string{"", "{}", `[{"time":"x"}]`, `[{"time":"2026-01-01T00:00:00Z","errorBase64":"?"}]`} {
		if list, err := decodeAttempts(s); err == nil {
			t.Errorf("decodeAttempts(%q) = %v", s, list)
		}
	}
}

func TestAttemptsAreReadable(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := encodeAttempts([]Attempt{{at, "boom"}, {at, "\xff"}})
	want := `[{"time":"2026-01-02T03:04:05Z","error":"boom"},{"time":"2026-01-02T03:04:05Z","errorBase64":"/w=="}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPlainTextAgreesWithJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(anyBytes(100), rapid.Map(anyBytes(100), func(s string) string { return toJSON(s) }),
			rapid.StringMatching(`"([a-z\x00\n"]|\\[nt"\\/u]|\\u00e9)*"`)).Draw(t, "encoded")
		got, ok := plainText(s)
		var want string
		if err := json.Unmarshal([]byte(s), &want); ok && (err != nil || got != want) {
			t.Fatalf("%q: %q, JSON says %q, %v", s, got, want, err)
		}
	})
}
