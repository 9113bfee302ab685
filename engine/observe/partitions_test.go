package observe

import (
	"reflect"
	"testing"
	"time"
)

// Every count of a stage is the sum of those of its partitions; a new one that is forgotten fails here.
func TestTheCountsOfAStageAreThoseOfItsPartitions(t *testing.T) {
	t.Parallel()
	var one StageCounts
	n := uint64(0)
	fill(reflect.ValueOf(&one).Elem(), &n)
	var sum StageCounts
	sum.add(&one)
	sum.add(&one)
	double(reflect.ValueOf(&one).Elem())
	if !reflect.DeepEqual(sum, one) {
		t.Errorf("got %+v, want %+v", sum, one)
	}
}

func fill(v reflect.Value, n *uint64) {
	for k := range v.NumField() {
		switch f := v.Field(k); f.Kind() {
		case reflect.Uint64:
			*n++
			f.SetUint(*n)
		case reflect.Map:
			*n++
			f.Set(reflect.ValueOf(map[string]uint64{"a": *n}))
		case reflect.Struct:
			fill(f, n)
		default:
			panic(f.Kind().String())
		}
	}
}

func double(v reflect.Value) {
	for k := range v.NumField() {
		switch f := v.Field(k); f.Kind() {
		case reflect.Uint64:
			f.SetUint(2 * f.Uint())
		case reflect.Map:
			f.Set(reflect.ValueOf(map[string]uint64{"a": 2 * f.Interface().(map[string]uint64)["a"]}))
		case reflect.Struct:
			double(f)
		}
	}
}

func TestAStageIsAsItsWorstPartition(t *testing.T) {
	t.Parallel()
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	all := OfPartitions("tally", []StageStatus{
		{Name: "tally.0", State: "running", Health: "healthy", Breaker: "closed", Lag: 3, Waits: []Wait{{For: "room", Detail: "b", Since: late}}},
		{Name: "tally.1", State: "ended", Ended: true, Health: "healthy", Epoch: 4, Breaker: "closed"},
		{Name: "tally.2", State: "backing off", Health: "unhealthy", Breaker: "open", Lag: 4, Waits: []Wait{{For: "room", Detail: "a", Since: early}, {For: "turn"}}},
	})
	if all.Name != "tally" || all.State != "backing off" || all.Ended || all.Health != "unhealthy" || all.Breaker != "open" || all.Lag != 7 || all.Epoch != 4 {
		t.Errorf("%+v", all)
	}
	if len(all.Waits) != 2 || all.Waits[0].Detail != "tally.2 and 1 more: a" || all.Waits[1].Detail != "tally.2" || len(all.Partitions) != 3 {
		t.Errorf("%+v", all.Waits)
	}
	channel := OfInstances("a", "a", "tally", []ChannelStatus{
		{Writer: "a.0", Written: 5, Taken: 2, Fill: 0.5, StoredBytes: 10}, {Writer: "a.0", Written: 1, Taken: 1, StoredBytes: 10},
		{Writer: "a.1", Written: 2, Oldest: time.Second, StoredBytes: 7, Held: true},
	})
	if channel.Written != 8 || channel.Lag() != 5 || channel.Fill != 0.5 || channel.StoredBytes != 17 || channel.OldestSeconds != 1 || !channel.Held {
		t.Errorf("%+v", channel)
	}
}
