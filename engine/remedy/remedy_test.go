package remedy_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"penstock/engine/remedy"
)

var errLost = errors.New("lost")

func words(r remedy.Remedy) string {
	switch r.Name {
	case remedy.Fresh.Name:
		return "--fresh"
	case remedy.GetLetter.Name:
		return "orders dlq show " + r.Argument
	}
	return ""
}

func TestTheProgramSaysTheRemedy(t *testing.T) {
	t.Parallel()
	inner := remedy.Errorf("%w: stream s; start over with %v", errLost, remedy.Fresh)
	letter := remedy.Errorf("see %v, or %v of another", remedy.GetLetter.For("a:1"), remedy.GetLetter)
	for _, test := range []struct {
		err  error
		text string
	}{
		{inner, "lost: stream s; start over with --fresh"},
		{fmt.Errorf("run: %w", errors.Join(inner, letter)), "run: lost: stream s; start over with --fresh\nsee orders dlq show a:1, or orders dlq show  of another"},
		{remedy.Errorf("%v is not said by the program", remedy.NATS), "Config.NATS is not said by the program"},
		{errors.New("a text of the user's: Config.Fresh"), "a text of the user's: Config.Fresh"},
	} {
		if got := remedy.Explain(test.err, words); got != test.text {
			t.Errorf("%q, want %q", got, test.text)
		}
		if said := remedy.As(test.err, words); said.Error() != test.text || !errors.Is(said, test.err) {
			t.Errorf("%q, want %q", said, test.text)
		}
	}
	if !errors.Is(inner, errLost) || inner.Error() != "lost: stream s; start over with Config.Fresh" {
		t.Errorf("%v", inner)
	}
	if got := remedy.Of(fmt.Errorf("%w %w", inner, errors.Join(letter, inner))); !slices.Equal(got, []remedy.Remedy{remedy.Fresh, remedy.GetLetter.For("a:1"), remedy.GetLetter}) {
		t.Errorf("%v", got)
	}
	if remedy.As(nil, words) != nil || remedy.Of(nil) != nil {
		t.Error("nil is no error")
	}
	if got := remedy.Among([]any{1, remedy.NATS, letter, "Config.Fresh"}); !slices.Equal(got, []remedy.Remedy{remedy.NATS, remedy.GetLetter.For("a:1"), remedy.GetLetter}) {
		t.Errorf("%v", got)
	}
	if got := remedy.Text(letter.Error(), words, remedy.Of(letter)...); got != "see orders dlq show a:1, or orders dlq show  of another" {
		t.Error(got)
	}
	if got := remedy.Text("see doctor.Examine; or Config.Fresh", words); got != "see doctor.Examine; or --fresh" {
		t.Error(got)
	}
}

func TestARemedyIsATextAndBack(t *testing.T) {
	t.Parallel()
	for _, want := range []remedy.Remedy{remedy.Fresh, remedy.GetLetter.For("a.0:b.0:1"), remedy.GetLetter.For(`a)"(`), remedy.ReplayLetters.In("/a b"), remedy.GetLetter.For("x").In("/a"), {}} {
		text, err := want.MarshalText()
		got := remedy.Remedy{Argument: "of before"}
		if err == nil {
			err = got.UnmarshalText(text)
		}
		if err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	var r remedy.Remedy
	if err := r.UnmarshalText([]byte("Queue.Get(a")); err == nil {
		t.Errorf("half a remedy is %v", r)
	}
}

func TestTheLogSaysTheRemedy(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(remedy.Handler(slog.NewTextHandler(&out, nil), words))
	log.With("show", remedy.GetLetter.For("a:1")).WithGroup("g").
		Warn("m", "error", remedy.Errorf("with %v", remedy.Fresh), "by", remedy.NATS, "other", errLost, "text", "Config.Fresh")
	if got := out.String(); !strings.Contains(got, `msg=m show="orders dlq show a:1" g.error="with --fresh" g.by=Config.NATS g.other=lost g.text=Config.Fresh`) {
		t.Error(got)
	}
}

func Example() {
	err := remedy.Errorf("the channel is empty; start over with %v", remedy.Fresh) // as the engine returns it
	fmt.Println(err)
	fmt.Println(remedy.Explain(err, func(r remedy.Remedy) string {
		if r == remedy.Fresh {
			return "the button Start over"
		}
		return ""
	}))
	// Output:
	// the channel is empty; start over with Config.Fresh
	// the channel is empty; start over with the button Start over
}
