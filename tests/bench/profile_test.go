package main

import (
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

func TestSampleGoesToTheInnermostThatIsKnown(t *testing.T) {
	t.Parallel()
	for want, stack := range map[string][]string{
		onCopying:                          {"runtime.memmove", "penstock/engine/frame.(*Section).Append"},
		onMemory:                           {"runtime.mallocgc", "main.source"},
		onScheduling:                       {"runtime.futex", "runtime.notewakeup"},
		onSystemCalls:                      {"internal/runtime/syscall/linux.Syscall6", "syscall.write"},
		"frames: writing and reading rows": {"encoding/binary.Uvarint", "penstock/engine/frame.uvarint", "penstock/engine.(*session).peek"},
		"the loop: calls, state, commits":  {"internal/sync.(*Mutex).Lock", "penstock/engine.(*session).publish"},
		"nats-server":                      {"github.com/nats-io/nats-server/v2/server.(*client).parse"},
		onElse:                             {"sort.Strings"},
	} {
		s := &profile.Sample{}
		for _, name := range stack {
			s.Location = append(s.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}})
		}
		if on := sampleOn(s); on != want {
			t.Errorf("%v: %q, want %q", stack, on, want)
		}
	}
}

func TestSpendingTable(t *testing.T) {
	t.Parallel()
	text := spendingTable([]spending{
		{Sync: "always", Messages: 1000, Took: 2, Busy: 1, Shares: map[string]float64{onCopying: 0.25, onMemory: 0.75}},
		{Sync: "lazy", Messages: 1000, Took: 0.5, Busy: 1, Shares: map[string]float64{onMemory: 1}},
	})
	for _, want := range []string{"sync always | sync lazy", "| 1000000 | 1000000 |", "| 0.5 | 2.0 |", onMemory + " | 75 % | 100 % |\n| " + onCopying + " | 25 % | 0 % |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
