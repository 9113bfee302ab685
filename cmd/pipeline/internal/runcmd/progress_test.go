package runcmd

import (
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine/observe"
)

func TestProgressLines(t *testing.T) {
	t.Parallel()
	start := time.Unix(0, 0)
	status := observe.Status{Pipeline: "p", Stages: []observe.StageStatus{
		{Name: "numbers", Kind: observe.KindSource, StageCounts: observe.StageCounts{Out: 1000}},
		{Name: "worker", Kind: observe.KindProcessor, StageCounts: observe.StageCounts{In: 900, Out: 800}, Lag: 100},
		{Name: "done", Kind: observe.KindSink, StageCounts: observe.StageCounts{In: 5}, Ended: true},
	}}
	var p progress
	p.lines(status, start, 100, 30)
	status.Stages[0].Out += 1_234_567
	status.Stages[1].In += 5
	status.Stages[1].Restarts, status.Stages[1].DeadLetters = 2, 1
	got := p.lines(status, start.Add(time.Second), 100, 30)
	want := []string{
		"stage           in        out     rate/s       lag  restarts      dead",
		"numbers          -  1,235,567  1,234,567         0         0         0",
		"worker         905        800        5.0       100         2         1",
		"done             5          0          -         0         0         0  ended",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	small := p.lines(status, start.Add(2*time.Second), 20, 5)
	if len(small) != 3 || !strings.HasPrefix(small[2], "… and 2 more") || small[0] != "stage             …" {
		t.Errorf("on a small terminal:\n%s", strings.Join(small, "\n"))
	}
	if got := p.lines(observe.Status{Pipeline: "p"}, start, 80, 24); !slices.Equal(got, []string{"p: starting …"}) {
		t.Errorf("before the start: %q", got)
	}
}
