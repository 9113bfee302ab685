package telemetry

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/internal/testing/natsserver"
)

// A letter has the form that package dlq gives it: what the export reads, the telemetry
// answers with. A list leaves out what may be long.
func TestALetterHasTheFormOfPackageDLQ(t *testing.T) {
	t.Parallel()
	s := servePipeline(t, hostilePipeline(), Config{})
	s.until("two dead letters", func() bool { return s.stage("sink").DeadLetters == 2 })
	queue, err := s.pipeline.DeadLetters()
	if err != nil {
		t.Fatal(err)
	}
	_, _, body := s.ask("GET", "/api/v1/letters", nil)
	var list Letters
	if err := json.Unmarshal([]byte(body), &list); err != nil || list.Count != 2 || len(list.Letters) != 2 {
		t.Fatalf("%v in %s", err, body)
	}
	for _, listed := range list.Letters {
		kept, found, err := queue.Get(t.Context(), listed.ID())
		if err != nil || !found {
			t.Fatalf("%s: %v, %v", listed.ID(), found, err)
		}
		if listed.Stack != "" || listed.Value != nil || !listed.ValueOmitted || listed.AttemptsOmitted != len(kept.Attempts)+kept.AttemptsOmitted {
			t.Errorf("in the list: %+v", listed)
		}
		_, _, body := s.ask("GET", "/api/v1/letters/"+url.PathEscape(listed.ID()), nil)
		var shown dlq.Letter
		if err := json.Unmarshal([]byte(body), &shown); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		want, err := json.Marshal(kept.Redacted())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(shown); err != nil || !reflect.DeepEqual(asAny(t, got), asAny(t, want)) {
			t.Errorf("%v:\n%s\nwant\n%s", err, got, want)
		}
		if strings.Contains(shown.Error, "hunter2") {
			t.Errorf("a password is shown: %s", shown.Error)
		}
	}
}

func asAny(t *testing.T, data []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// A dead letter that cannot be read is one of the list, and hides no other.
func TestAnUnreadableLetterDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	nats := natsserver.Start(t)
	s := serveOn(t, hostilePipeline(), Config{}, engine.NATS{URL: nats.ClientURL()})
	s.until("two dead letters", func() bool { return s.stage("sink").DeadLetters == 2 })
	if _, err := nats.JetStream().Publish(t.Context(), "hostile.sink.0.dead.numbers.0.50", []byte("by hand")); err != nil {
		t.Fatal(err)
	}
	code, _, body := s.ask("GET", "/api/v1/letters", nil)
	var list Letters
	if err := json.Unmarshal([]byte(body), &list); err != nil || code != http.StatusOK || list.Count != 3 || len(list.Letters) != 3 {
		t.Fatalf("%d, %v in %s", code, err, body)
	}
	unreadable := 0
	for _, l := range list.Letters {
		if l.Unreadable {
			unreadable++
		}
	}
	if unreadable != 1 {
		t.Errorf("%d letters are unreadable: %s", unreadable, body)
	}
}
