package socket

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLinesAreCopiedWithoutWhatSteers(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	const in = "{\"a\":\"ü \x1b\u202e\U000e0001\xff\x7f\"}\r\n"
	const want = `{"a":"ü \u001b\u202e\udb40\udc01\ufffd\u007f"}\u000d` + "\n"
	if err := copyLines(&out, strings.NewReader(in)); err != nil || out.String() != want {
		t.Errorf("%v\n%q\n%q", err, out.String(), want)
	}
}

// What is no event is refused at once, and of events there is a bound of its own:
// a line of three bytes takes a hundred times as much memory.
func TestEventsOfAHostileAnswerAreBounded(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"nothing":     "{}",
		"year 1":      `{"number":1,"kind":"failed","time":"0001-01-01T00:00:00Z"}`,
		"without one": `{"number":1,"kind":"failed"}`,
	} {
		if events, err := ReadEvents(strings.NewReader(line + "\n")); err == nil || !strings.Contains(err.Error(), "damaged: line 1") {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
	event := `{"number":1,"stage":"a","kind":"failed","time":"2026-01-01T00:00:00Z"}` + "\n"
	if events, err := ReadEvents(strings.NewReader(strings.Repeat(event, eventsMost+1))); !errors.Is(err, errTooMuch) {
		t.Errorf("%d events, %v", len(events), err)
	}
	if events, err := ReadEvents(strings.NewReader(event)); err != nil || len(events) != 1 {
		t.Errorf("%v, %v", events, err)
	}
}

func TestReadEventsBrokenOff(t *testing.T) {
	t.Parallel()
	whole := `{"number":1,"stage":"s","kind":"starting","time":"2026-01-01T00:00:00Z"}` + "\n"
	for name, body := range map[string]io.Reader{
		"in an event":    strings.NewReader(whole + whole[:9]),
		"between events": io.MultiReader(strings.NewReader(whole), iotest.ErrReader(io.ErrUnexpectedEOF)),
	} {
		if events, err := ReadEvents(body); err == nil || !strings.Contains(err.Error(), "was cut off") {
			t.Errorf("%s: %+v, %v", name, events, err)
		}
	}
}
