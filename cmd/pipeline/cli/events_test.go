package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/engine/observe"
)

// mustBeEvents reads what --json shows.
func mustBeEvents(t *testing.T, r result) []observe.StageEvent {
	t.Helper()
	events, err := socket.ReadEvents(strings.NewReader(r.stdout))
	if r.code != app.ExitOK || err != nil || strings.Count(r.stdout, "\n") != len(events) {
		t.Fatalf("exit %d, %v, %q\n%s", r.code, err, r.stdout, r.err)
	}
	return events
}

func kindsOf(events []observe.StageEvent) []string {
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func stagesOf(events []observe.StageEvent) []string {
	var stages []string
	for _, e := range events {
		stages = append(stages, e.Stage)
	}
	slices.Sort(stages)
	return slices.Compact(stages)
}

// oneFault is the history of a stage that failed once.
var oneFault = []string{"starting", "running", "fault", "backing off", "restarting", "running"}

func TestEventsOfARunningPipeline(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.start("run", "--rate=5ms", "--beats=100000")
	r.stderr.Await(t, "msg=starting pipeline=fizzbuzz stage=generator start=2 ")
	events := mustBeEvents(t, c.run("events", "generator", "--json"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for len(events) < len(oneFault) && ctx.Err() == nil { // until it has said that it runs
		events = mustBeEvents(t, c.run("events", "generator", "--json"))
	}
	if got := kindsOf(events); len(got) < len(oneFault) || !slices.Equal(got[:len(oneFault)], oneFault) { // it may have ended since
		t.Errorf("generator: %q, want %q", got, oneFault)
	}
	if got, want := stagesOf(mustBeEvents(t, c.run("events", "--json"))), []string{"generator", "heartbeat", "logger", "worker"}; !slices.Equal(got, want) {
		t.Errorf("stages %q, want %q", got, want)
	}
	for args, want := range map[string]string{
		"nope":               `no stage "nope"`,
		"a/b":                `no stage "a/b"`,
		"--pipeline=another": "belongs to the pipeline fizzbuzz",
	} {
		s := c.run("events", args, "--dir", c.dir("fizzbuzz"))
		if s.code != codeOf(args) || s.stdout != "" || !strings.Contains(s.err, want) {
			t.Errorf("%s: exit %d, %q\n%s", args, s.code, s.stdout, s.err)
		}
	}
	r.signals <- os.Interrupt
	if end := r.wait(); end.code != app.ExitOK {
		t.Errorf("exit %d\n%s", end.code, end.err)
	}
	after := mustBeEvents(t, c.run("events", "generator", "--json"))
	if len(after) <= len(events) || !slices.Equal(after[:len(events)], events) {
		t.Errorf("after the end: %+v, before it %+v", after, events)
	}
}

func TestEventsOfAStoppedPipeline(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	if r := c.run("run", "--rate=1ms", "--beats=20"); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	events := mustBeEvents(t, c.run("events", "generator", "--json"))
	if got, want := kindsOf(events), append(slices.Clone(oneFault), "stopped"); !slices.Equal(got, want) {
		t.Fatalf("generator: %q, want %q", got, want)
	}
	if fault := events[2]; fault.Number != 3 || fault.Reason != "panic" || !strings.Contains(fault.Stack, "generate") {
		t.Errorf("the fault: %+v", fault)
	}

	all := mustBeEvents(t, c.run("events", "--json"))
	if got, want := stagesOf(all), []string{"generator", "heartbeat", "logger", "worker"}; !slices.Equal(got, want) {
		t.Errorf("stages %q, want %q", got, want)
	}
	if !slices.IsSortedFunc(all, func(a, b observe.StageEvent) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("not in the order of time: %+v", all)
	}

	table := c.run("events", "generator")
	lines := strings.Split(table.stdout, "\n")
	if table.code != app.ExitOK || len(lines) != 9 || strings.Contains(table.stdout, ".go:") {
		t.Fatalf("exit %d, %s\n%s", table.code, table.stdout, table.err)
	}
	mustContain(t, "the heading", lines[0], "time", "stage", "event", "reason", "restart", "delay", "error")
	mustContain(t, "the fault", lines[3], "generator", "fault", "panic", "on purpose")
	mustContain(t, "the restart", lines[4], "backing off", events[3].Delay.String())
	stacks := c.run("events", "generator", "--stack").stdout
	if strings.Count(stacks, "\n") <= 8 || strings.Contains(stacks, "\t") {
		t.Errorf("with stacks: %q", stacks)
	}
	mustContain(t, "the table with stacks", stacks, "\n    penstock/examples/fizzbuzz.Config.generate", "\n        /")

	if r := c.run("events", "nope"); r.code != app.ExitFailed || r.stdout != "" || !strings.Contains(r.err, `pipeline fizzbuzz has no stage "nope"`) {
		t.Errorf("exit %d, %q\n%s", r.code, r.stdout, r.err)
	}
	if r := c.run("events", "--dir", c.dir("none")); r.code != app.ExitBlind || !strings.Contains(r.err, "no pipeline has run there yet") {
		t.Errorf("exit %d, %q\n%s", r.code, r.stdout, r.err)
	}
}
