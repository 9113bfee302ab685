package dlq

import (
	"errors"
	"strings"
	"testing"
)

func TestLetterRefusesWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Letter){
		"no stage":           func(l *Letter) { l.Stage = "" },
		"stage with a dot":   func(l *Letter) { l.Stage = "a.b" },
		"wildcard":           func(l *Letter) { l.Stage = "*" },
		"long stage":         func(l *Letter) { l.Stage = strings.Repeat("x", 65) },
		"no input":           func(l *Letter) { l.Input = "" },
		"empty branch":       func(l *Letter) { l.Input = "a/" },
		"two branches":       func(l *Letter) { l.Input = "a/b/c" },
		"tilde":              func(l *Letter) { l.Input = "a~b" },
		"line end":           func(l *Letter) { l.Input = "a\n" },
		"negative instance":  func(l *Letter) { l.Instance = -1 },
		"negative input":     func(l *Letter) { l.InputInstance = -1 },
		"no reason":          func(l *Letter) { l.Reason = "" },
		"reason of two rows": func(l *Letter) { l.Reason = "a\nb" },
		"long codec":         func(l *Letter) { l.Codec = strings.Repeat("x", 257) },
		"negative omitted":   func(l *Letter) { l.AttemptsOmitted = -1 },
		"foreign pipeline":   func(l *Letter) { l.Pipeline = "a b" },
	} {
		l := letterAt(0)
		if err := l.check(); err != nil {
			t.Fatalf("a good letter: %v", err)
		}
		spoil(&l)
		if err := l.check(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
