package lookcmd

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"penstock/engine/observe"
)

func TestEventsAreSafeToShow(t *testing.T) {
	t.Parallel()
	events := []observe.StageEvent{
		{Number: 1, Stage: "s", Kind: "fault", Reason: "panic", Error: "dial nats://u:secret@h\x1b[2J\u202e\nmore", Stack: "a\x1b[2J()\n\t/b.go:1\n"},
		{Number: 2, Stage: "s", Kind: "health", Detail: "degraded: \x07cold"},
	}
	for view, want := range map[eventsView][]string{
		eventsTable:  {`dial nats://…@h\u001b[2J\u202e`, `degraded: \u0007cold`},
		eventsStacks: {`dial nats://…@h\u001b[2J\u202e`, "\n    a\\u001b[2J()\n        /b.go:1\n"},
		eventsJSON:   {`"error":"dial nats://…@h\u001b[2J\u202e\nmore"`, `"detail":"degraded: \u0007cold"`},
	} {
		var out bytes.Buffer
		if err := view.write(&out, events); err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(out.String(), part) {
				t.Errorf("view %d does not say %q:\n%s", view, part, out.String())
			}
		}
		for _, forbidden := range []string{"\x1b", "\u202e", "\x07", "secret"} {
			if strings.Contains(out.String(), forbidden) {
				t.Errorf("view %d shows %q: %q", view, forbidden, out.String())
			}
		}
		if view == eventsTable && strings.Contains(out.String(), "more") {
			t.Errorf("the table shows more than a line of the error: %q", out.String())
		}
	}
	var out bytes.Buffer
	if err := eventsJSON.write(&out, events); err != nil || !json.Valid(bytes.Split(out.Bytes(), []byte("\n"))[0]) {
		t.Errorf("%v, %q", err, out.String())
	}
}
