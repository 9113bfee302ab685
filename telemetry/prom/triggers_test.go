package prom

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"penstock/telemetry/record"
)

func TestTriggersAreCollected(t *testing.T) {
	t.Parallel()
	found := int64(2)
	collected := NewTriggerCollector("some", func(fn func(record.Trigger, int64)) { fn(record.Trigger{Name: "fill", Color: record.Orange}, found) })
	if problems, err := testutil.CollectAndLint(collected); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	for _, found = range []int64{2, 0} {
		if got := testutil.ToFloat64(collected); got != float64(found) {
			t.Errorf("penstock_trigger_out_of_bounds is %v, want %d", got, found)
		}
	}
}
