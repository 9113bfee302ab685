package app

import (
	"bytes"
	"strings"
	"testing"

	"penstock/internal/hint"
)

// A command in the log can be copied, whatever its directory is called. What only looks like one is as safe as before.
func TestACommandInTheLogCanBeCopied(t *testing.T) {
	t.Parallel()
	command := "pipeline dlq list --dir " + hint.Word("/it's mine")
	for _, style := range []style{Plain, tinted, coloured} {
		var out bytes.Buffer
		log := LogFlags{LogLevel: "info", LogFormat: "text"}.Logger(&out, style)
		log.Warn(`dead "letters="`, "list", command, "after", "a b")
		if !strings.Contains(out.String(), "`"+command+"`") || !strings.Contains(out.String(), `"a b"`) || !strings.HasSuffix(out.String(), "\n") {
			t.Errorf("style %d: %s", style, &out)
		}
		for _, hostile := range []string{"\x1b[31m", "a`b", "\u202e", "\n"} {
			out.Reset()
			log.Warn("x", "list", "y "+hostile+hint.Apostrophe)
			if text := strings.TrimSuffix(out.String(), "\n"); strings.Contains(text, hostile) && hostile != "a`b" || strings.Contains(text, "=`y a`") {
				t.Errorf("style %d: %q", style, text)
			}
		}
	}
}
