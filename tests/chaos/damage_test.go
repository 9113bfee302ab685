//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"penstock/tests/chaos/workload"
)

func TestKindsOfFiles(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"lock":                   "lock",
		"in-flight":              "in-flight",
		"checkpoints/000012.sst": "checkpoints/*.sst",
		"checkpoints/MANIFEST":   "checkpoints/MANIFEST",
		"checkpoints/reserve":    "checkpoints/reserve",
		"jetstream/server.lock":  "server.lock",
		"jetstream/jetstream/$G/streams/chaos+pass2/meta.inf":           "channel/meta.inf",
		"jetstream/jetstream/$G/streams/chaos+pass2/msgs/11.blk":        "channel/*.blk",
		"jetstream/jetstream/$G/streams/chaos++dead-letters/msgs/1.blk": "dead letters/*.blk",
		"jetstream/jetstream/$G/streams/chaos+pass2/obs/x/o.dat":        "consumer/o.dat",
	} {
		if got := kindOf(path); got != want {
			t.Errorf("%s is of the kind %q, want %q", path, got, want)
		}
	}
}

func TestWhatCameOfDamage(t *testing.T) {
	t.Parallel()
	found := func(kind string) []workload.Finding { return []workload.Finding{{Kind: kind}} }
	for want, v := range map[harmRow]verdict{
		{Cycles: 1, Exact: 1}:      {Completed: true},
		{Cycles: 1, Mended: 1}:     {Completed: true, seen: true},
		{Cycles: 1, Repaired: 1}:   {Completed: true, seen: true, repaired: "it"},
		{Cycles: 1, Letters: 1}:    {Completed: true, seen: true, repaired: "it", lettersGone: true},
		{Cycles: 1, Unmendable: 1}: {Refused: "because", seen: true},
		{Cycles: 1, Wrong: 1}:      {Completed: true, Findings: found(workload.Lost)},
		{Cycles: 1, Other: 1}:      {Refused: "because", Findings: found(unseen)},
	} {
		var got harmRow
		if got.add(&cycle{verdict: v}); got != want {
			t.Errorf("%+v is counted as %+v, want %+v", v, got, want)
		}
	}
}

func TestHowOldLostCommitsAre(t *testing.T) {
	t.Parallel()
	c := &process{}
	c.hear("ready a=1 b=1")
	c.hear("progress 1000000000 a=2 b=1")
	c.hear("progress 1100000000 a=2 b=2")
	c.hear("progress 1200000000 a=3 b=2")
	cut := powerCut{c, time.Unix(1, 300_000_000)}
	for _, k := range []struct {
		ready map[string]uint64
		want  time.Duration
	}{
		{map[string]uint64{"a": 3, "b": 2}, 0},
		{map[string]uint64{"a": 2, "b": 2}, 100 * time.Millisecond},
		{map[string]uint64{"a": 3, "b": 1}, 200 * time.Millisecond},
	} {
		if got := cut.lost(k.ready); got != k.want {
			t.Errorf("with %v the oldest that is lost is %v old, want %v", k.ready, got, k.want)
		}
	}
}

func TestTheTableOfDamage(t *testing.T) {
	t.Parallel()
	r := newReport(&campaign{})
	r.add(&cycle{ordeal: ordeal{damageFaults()[0]}, verdict: verdict{Completed: true, seen: true, harm: harm{"channel/*.blk", "flip"}}})
	var out strings.Builder
	r.table(&out)
	for _, want := range []string{"channel/*.blk", "mended by itself", "silently wrong"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not have %q:\n%s", want, out.String())
		}
	}
}
