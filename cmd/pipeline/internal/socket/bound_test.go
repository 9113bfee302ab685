package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
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

// silentConn answers nothing, and knows no time but its deadline.
type silentConn struct {
	net.Conn
	deadline time.Time
}

func (s *silentConn) SetReadDeadline(t time.Time) error { s.deadline = t; return nil }

func (s *silentConn) Read([]byte) (int, error) {
	if s.deadline.IsZero() {
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

func TestASilentAnswerEnds(t *testing.T) {
	t.Parallel()
	_, err := (&patientConn{&silentConn{}, time.Minute, nil}).Read(nil)
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "silent for 1m0s") {
		t.Error(err)
	}
	if _, err := (&patientConn{&silentConn{}, 0, nil}).Read(nil); !errors.Is(err, io.EOF) {
		t.Errorf("who may be silent: %v", err)
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

// A user is soon told what is waited for, and the wait ends.
func TestASilentAnswerIsToldOf(t *testing.T) {
	t.Parallel()
	told := 0
	conn := &patientConn{&silentConn{}, controlSilence, func() { told++ }}
	for range 2 {
		if _, err := conn.Read(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if told != 1 || controlSilence > 30*time.Second {
		t.Errorf("told %d times; it may be silent for %v", told, controlSilence)
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
