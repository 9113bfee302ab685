package record

import (
	"bytes"
	"testing"

	"penstock/internal/testing/hostile"
)

// A message of the live stream is one line, whatever it holds.
func TestHostileTextIsOneMessage(t *testing.T) {
	t.Parallel()
	message, err := EventMessage("event", Event{Error: hostile.Text, Stack: hostile.Text})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(message, []byte("\n")) != 3 || bytes.Contains(message, []byte("<")) {
		t.Errorf("%q", message)
	}
}

func TestListenersAreBounded(t *testing.T) {
	t.Parallel()
	h := NewHub()
	var all []*listener
	for range ListenersMost {
		l, ok := h.Join()
		if !ok {
			t.Fatal("refused too early")
		}
		all = append(all, l)
	}
	if _, ok := h.Join(); ok {
		t.Error("one too many is let in")
	}
	h.Leave(all[0])
	if _, ok := h.Join(); !ok {
		t.Error("who left makes no room")
	}
	for range newsWaiting + 1 { // nobody reads
		h.Send("event", Event{})
	}
	if n := h.Count(); n != 0 {
		t.Errorf("%d are kept who do not read", n)
	}
	h.Close()
	if _, ok := h.Join(); ok {
		t.Error("one is let in after the end")
	}
}
