package broker

import (
	"fmt"
	"strings"
	"testing"
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
