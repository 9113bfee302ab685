package dlq

import (
	"errors"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"pgregory.net/rapid"
)

func TestIDAndSubject(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ input, id, subject string }{
		{"generator", "worker.0:generator.1:33", "fizzbuzz.worker.0.dead.generator.1.33"},
		{"parse/bad", "worker.0:parse/bad.1:33", "fizzbuzz.worker.0.dead.parse~bad.1.33"},
	} {
		l := Letter{Origin: Origin{Pipeline: "fizzbuzz", Stage: "worker", Input: c.input, InputInstance: 1, Offset: 33}}
		if got := l.ID(); got != c.id {
			t.Errorf("ID = %q, want %q", got, c.id)
		}
		if got := l.origin().subject(l.Pipeline); got != c.subject {
			t.Errorf("subject = %q, want %q", got, c.subject)
		}
	}
}

func TestIDIsParsedBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyLetter().Draw(t, "letter").origin()
		got, err := parseID(want.String())
		if err != nil || got != want {
			t.Fatalf("parseID(%q) = %+v, %v; want %+v", want, got, err, want)
		}
		if subject := want.subject("fizzbuzz"); !server.IsValidLiteralSubject(subject) {
			t.Fatalf("subject %q is not valid", subject)
		}
	})
}

func TestParseIDTakesOneSpellingOnly(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"", "worker", "worker.0", "worker.0:generator.0", "worker.0:generator.0:", "worker.00:generator.0:3", "worker.0:generator.0:03",
		"worker.0:generator.0:-1", "worker.0:generator.0:3 ", "worker.0:a/b/c.0:3", "worker.0:a~b.0:3", "w*.0:generator.0:3",
		"worker.0:generator.0:18446744073709551616", "worker.9223372036854775808:generator.0:0",
	} {
		if o, err := parseID(id); !errors.Is(err, ErrInvalid) {
			t.Errorf("parseID(%q) = %+v, %v; want ErrInvalid", id, o, err)
		}
	}
}
