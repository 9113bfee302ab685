package cli

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
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
		if got := escape(text); got != want {
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
		safe := escapeJSON(line)
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
	if got := string(escapeJSON([]byte("\"a\x9b\""))); got != `"a\ufffd"` {
		t.Errorf("%q", got)
	}
}

type nasty struct{}

func (nasty) Error() string { return "bad \x1b[31m thing" }

func TestTerminalLogCannotSteer(t *testing.T) {
	t.Parallel()
	for _, style := range []style{tinted, coloured} {
		var out strings.Builder
		log := logFlags{LogLevel: "debug", LogFormat: "text"}.logger(&out, style)
		log = log.With("with \x1b[2J", "w\x1b[2J x").WithGroup("g\x1b[2J")
		log.Info("msg \x1b[2J\nnext", "string", "s \x1b[2J", "written", `s \x1b[2J`, "error", nasty{},
			slog.Group("group", "inner", "i \x1b[2J"), "any", []string{"\x1b[2J"}, "n", 1)
		text := out.String()
		if strings.Contains(text, "\x1b[2J") || strings.Contains(text, "\x1b[31m") || strings.Count(text, "\n") != 1 {
			t.Errorf("style %d: %q", style, text)
		}
		if strings.Contains(text, "\x1b") == (style == tinted) {
			t.Errorf("style %d has the wrong colours: %q", style, text)
		}
		mustContain(t, "the log", text, `msg \u001b[2J\nnext`, "n=")
	}
}
