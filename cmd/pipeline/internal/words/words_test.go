package words

import (
	"errors"
	"testing"

	"penstock/cmd/pipeline/internal/shipped"
	"penstock/engine"
	"penstock/engine/remedy"
	"penstock/stages"
)

// Each remedy that the library names is a flag or a command line of the program.
func TestTheProgramHasWordsForEveryRemedy(t *testing.T) {
	t.Parallel()
	h := Hints{Program: "orders", Where: " --dir d", In: In(engine.Config{}), Keys: " --frame-key-file k", Own: (&shipped.Wordcount{}).Words}
	for _, r := range remedy.All() {
		if h.Words(r) == "" {
			t.Errorf("no words for %v", r)
		}
	}
	for want, r := range map[string]remedy.Remedy{
		"--fresh":           remedy.Fresh,
		"--accept-changes":  stages.TakeChanges,
		"--long-lines skip": stages.SetLongLines.For("skip"),
		"orders doctor --dir d --frame-key-file k":    remedy.Examine,
		"`orders nats-permissions NAME`":              remedy.Rights,
		"orders dlq show a.0:b.0:1 --dir d":           remedy.GetLetter.For("a.0:b.0:1"),
		"orders dlq discard --all --dir d":            remedy.DiscardLetter,
		"orders dlq discard x --dir d":                remedy.DiscardLetter.For("x"),
		"orders dlq replay --all --dir d":             remedy.ReplayLetters,
		"orders dlq replay --all --dir '/of another'": remedy.ReplayLetters.In("/of another"),
		"--dir '/of another'":                         remedy.Dir.For("/of another"),
	} {
		if got := h.Explain(errors.Join(remedy.Errorf("%v", r))); got != want {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
	h.Pipeline = "parcels"
	if got := h.Words(remedy.Rights); got != "`orders nats-permissions parcels`" {
		t.Errorf("the rights of a pipeline that is known: %s", got)
	}
}
