package dlq_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"penstock/dlq"
)

// Every field of a filter survives its JSON form: one that got lost would select more letters than were meant.
func TestFilterSurvivesItsJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 15, 4, 5, 6, time.UTC)
	whole := dlq.Filter{
		IDs: []string{"worker.0:generator.0:33"}, Stage: "worker", Input: "generator/odd", Reason: dlq.ReasonPanic,
		Since: at, Until: at.Add(time.Hour), Key: "k\x00\xff", Error: "\xfe no UTF-8", MinRound: 2,
		Unreadable: true, WithoutValues: true,
	}
	fields := reflect.ValueOf(whole)
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		if fields.Field(i).IsZero() {
			t.Fatalf("the test has no value for %s", name)
		}
		var one dlq.Filter
		reflect.ValueOf(&one).Elem().Field(i).Set(fields.Field(i))
		mustSurvive(t, name, one)
	}
	mustSurvive(t, "all", whole)
	mustSurvive(t, "none", dlq.Filter{})
}

func mustSurvive(t *testing.T, what string, f dlq.Filter) {
	t.Helper()
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	read := dlq.Filter{Stage: "stale"}
	if err := json.Unmarshal(data, &read); err != nil || !reflect.DeepEqual(read, f) {
		t.Errorf("%s: %s became %+v, %v", what, data, read, err)
	}
}

// The names are those that running pipelines of earlier builds know.
func TestFilterJSONNames(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(dlq.Filter{Stage: "worker", Key: "k", Error: "e", MinRound: 2, WithoutValues: true})
	if want := `{"stage":"worker","minRound":2,"withoutValues":true,"key":"aw==","error":"ZQ=="}`; err != nil || string(data) != want {
		t.Errorf("%s, %v, want %s", data, err, want)
	}
	if data, err := json.Marshal(dlq.Filter{}); err != nil || string(data) != "{}" {
		t.Errorf("%s, %v", data, err)
	}
}
