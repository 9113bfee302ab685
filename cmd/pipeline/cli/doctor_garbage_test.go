package cli

import (
	"regexp"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/engine/remedy"
	"penstock/internal/testing/natsserver"
)

// quoted are the command lines in a text, without the name of the program.
var quoted = regexp.MustCompile("`pipeline ([^`]+)`")

// mustBeInWords checks that a text has no names of the library for what the program has words for.
func mustBeInWords(t *testing.T, text string) {
	t.Helper()
	for _, r := range remedy.All() {
		if strings.Contains(text, r.Name) || strings.Contains(text, `("`) {
			t.Errorf("it names %v:\n%s", r, text)
		}
	}
}

// Garbage among the dead letters is nothing that a start over would mend: what the doctor says mends it.
func TestTheDoctorOnGarbageAmongTheDeadLetters(t *testing.T) {
	t.Parallel()
	host := natsserver.Start(t).Addr().String()
	c := newCommand(t)
	at := func(args ...string) []string { return append(args, "--nats", host) }
	r := c.start(at("run", "--rate=5ms", "--beats=100000")...)
	r.stderr.Await(t, "id="+letter41)
	publish(t, host, "fizzbuzz.worker.0.dead.x", "fizzbuzz.worker.0.dead.what")
	var commands [][]string
	for _, state := range []string{"running", "stopped"} {
		said := c.run(at("doctor")...)
		mustBe(t, said, app.ExitOK, "note       dead letters: dlq: 2 of the messages", "")
		mustContain(t, "the doctor, "+state, said.stdout, "sequence 3, 4", "dead letters: 2\n", "Nothing is wrong.")
		mustBeInWords(t, said.stdout)
		if strings.Contains(said.stdout, "--fresh") || strings.Contains(said.stdout, "WRONG") {
			t.Errorf("%s:\n%s", state, said.stdout)
		}
		commands = nil
		for _, line := range quoted.FindAllStringSubmatch(said.stdout, -1) {
			commands = append(commands, strings.Fields(line[1]))
		}
		if state == "running" {
			r.interrupt()
		}
	}
	mustBe(t, c.run(at("repair")...), app.ExitOK, "Nothing is wrong.", "")
	if len(commands) != 2 {
		t.Fatalf("commands: %q", commands)
	}
	mustBe(t, c.run(commands[0]...), app.ExitOK, "can only be discarded", "")
	mustBe(t, c.run(append(commands[1], "--yes")...), app.ExitOK, "discarded 1 dead letter", "")
	mustBe(t, c.run(at("doctor")...), app.ExitOK, "dlq: 1 of the messages in stream fizzbuzz++dead-letters cannot be read, of sequence 4", "")
	mustBe(t, c.run(at("dlq", "discard", "--reason=unreadable", "--yes")...), app.ExitOK, "discarded 1 dead letter", "")
	if said := c.run(at("doctor")...); strings.Contains(said.stdout, "note  ") {
		t.Errorf("nothing is left, and the doctor says:\n%s", said.stdout)
	}
}
