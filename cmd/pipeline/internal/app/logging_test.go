package app

import (
	"log/slog"
	"strings"
	"testing"
)

func TestTerminalLogCannotSteer(t *testing.T) {
	t.Parallel()
	for _, style := range []style{tinted, coloured} {
		var out strings.Builder
		log := LogFlags{LogLevel: "debug", LogFormat: "text"}.Logger(&out, style)
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
		for _, part := range []string{`msg \u001b[2J\nnext`, "n="} {
			if !strings.Contains(text, part) {
				t.Errorf("the log does not say %q:\n%s", part, text)
			}
		}
	}
}

type nasty struct{}

func (nasty) Error() string { return "bad \x1b[31m thing" }
