package broker

import (
	"fmt"
	"strings"
	"testing"

	"penstock/engine/remedy"
)

func TestTheErrorOfManyMissingRightsIsShort(t *testing.T) {
	t.Parallel()
	e := &MissingError{User: "limited", Server: "nats://h:1"}
	for i := range 30 {
		e.Rights = append(e.Rights, Right{Action: Publish, Subject: fmt.Sprintf("$JS.API.STREAM.INFO.%d", i)})
	}
	text := e.Error()
	if len(text) > 300 || !strings.Contains(text, "STREAM.INFO.2, and lacks 27 more rights on nats://h:1") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	e.Rights = e.Rights[:3]
	if text := e.Error(); strings.Contains(text, "more rights") {
		t.Error(text)
	}
}

// Who may get answers only at a prefix of its own is told to name it, and not only to take wider rights.
func TestTheErrorOfMissingAnswersNamesThePrefix(t *testing.T) {
	t.Parallel()
	type refusal interface {
		error
		Remedies() []remedy.Remedy
	}
	for subject, named := range map[string]bool{"_INBOX.>": true, "_INBOX_orders.>": false} {
		for _, e := range []refusal{
			&MissingError{Server: "nats://h:1", Rights: []Right{{Action: Subscribe, Subject: subject}}},
			&PermissionError{Action: Subscribe, Subject: strings.Replace(subject, ">", "Xy.*", 1)},
		} {
			if text := e.Error(); strings.Contains(text, "NATS.InboxPrefix") != named || len(e.Remedies()) != map[bool]int{true: 2, false: 1}[named] {
				t.Errorf("%s: %s, %v", subject, text, e.Remedies())
			}
		}
	}
}
