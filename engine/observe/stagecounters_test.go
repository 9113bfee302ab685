package observe_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine/observe"
)

// Each count has one counter, whose key is its name in JSON.
func TestEveryCountOfAStageHasACounter(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[observe.StageCounts]()) {
		if field.Type.Kind() == reflect.Uint64 {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			keys = append(keys, name)
		}
	}
	counters := observe.StageCounters()
	if len(counters) != len(keys) {
		t.Errorf("there are %d counters of %d counts", len(counters), len(keys))
	}
	for _, key := range keys {
		var counts observe.StageCounts
		if err := json.Unmarshal(fmt.Appendf(nil, "{%q: 7}", key), &counts); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(counters, func(c observe.StageCounter) bool { return c.Key == key && c.Total(&counts) == 7 }) {
			t.Errorf("no counter tells of %s", key)
		}
	}
}

// Prometheus does not see the growth of a series that begins with 1.
func TestLabelsOfACounterBeginWithZero(t *testing.T) {
	t.Parallel()
	counts := observe.StageCounts{DeadLettersBy: map[string]uint64{"held": 2, "unknown": 3}}
	for _, c := range observe.StageCounters() {
		if (c.Label == "") != (c.By == nil) {
			t.Errorf("%s has the label %q, and the values of one: %v", c.Key, c.Label, c.By != nil)
		}
		if c.By == nil || len(c.By(&observe.StageCounts{})) > 0 {
			continue
		}
		t.Errorf("%s has no values before the first", c.Key)
	}
	k := slices.IndexFunc(observe.StageCounters(), func(c observe.StageCounter) bool { return c.Key == "dead_letters" })
	parts := observe.StageCounters()[k].By(&counts)
	for _, want := range []observe.Count{{Of: string(dlq.ReasonHeld), N: 2}, {Of: string(dlq.ReasonPanic)}, {Of: "unknown", N: 3}} {
		if !slices.Contains(parts, want) {
			t.Errorf("the dead letters are %v, without %v", parts, want)
		}
	}
}
