package dlqcmd

import (
	"strings"
	"testing"

	"penstock/dlq"
)

func TestShowHidesPasswordsOfErrors(t *testing.T) {
	t.Parallel()
	const hostile = "\x1b[2J\x1b]0;title\x07\u202e\u009b31m\r\xff\x00<script>alert(1)</script>&nats://u:secret@host\n"
	l := dlq.Letter{
		Origin:  dlq.Origin{Stage: "worker", Input: "generator/side", Offset: 2},
		Content: dlq.Content{Key: hostile, Codec: "json", Value: []byte(`"` + "\u009b\u202e" + `<script>"`), Edited: true, Original: []byte(`"before"`)},
		Cause: dlq.Cause{
			Error: hostile + "second line", Panic: hostile, Stack: hostile + "\tat\r\n",
			Chain: []string{"*errors.errorString: " + hostile}, Attempts: []dlq.Attempt{{Error: hostile}},
		},
		Rounds: dlq.Rounds{Round: 2, History: []dlq.Round{{Reason: dlq.ReasonError, Error: hostile, Attempts: 3, To: "logger"}}, To: "logger"},
		Write:  dlq.Write{Version: hostile},
	}
	var out strings.Builder
	if err := (letterView{letter: l.Redacted()}).write(&out); err != nil {
		t.Fatal(err)
	}
	shown := out.String()
	facts, _, _ := strings.Cut(shown, "\nerror\n")
	shown = strings.TrimPrefix(shown, facts) // with the key, which is the user's own
	if strings.Contains(shown, "secret") || strings.Count(shown, "…@host") != 6 {
		t.Errorf("%s", shown)
	}
	for _, part := range []string{"original value, which a replay replaced, 8 bytes, codec json\n    \"before\"", "earlier rounds\n    round 1  ", "error after 3 attempts in logger"} {
		if !strings.Contains(shown, part) {
			t.Errorf("show does not say %q:\n%s", part, shown)
		}
	}
	for _, part := range []string{"failed in     logger"} {
		if !strings.Contains(facts, part) {
			t.Errorf("the facts does not say %q:\n%s", part, facts)
		}
	}
}
